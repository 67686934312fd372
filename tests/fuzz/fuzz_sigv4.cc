// Any target, Authorization, date and body: nothing that was not signed may pass.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/sigv4.h"

namespace {

class OneKey : public howdah::aws::Credentials {
 public:
  std::optional<std::string> FindSecret(std::string_view) const override { return "secret"; }
};

std::string Line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string line(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  howdah::http::Request request;
  request.target = Line(rest);
  request.headers.Add("Host", "h");
  if (const std::string line = Line(rest); !line.empty())
    request.headers.Add("Authorization", line);
  request.headers.Add("X-Amz-Date", Line(rest));
  request.body = rest;
  const howdah::WallTime now = howdah::FromMicros(1'795'430'760'000'000);
  (void)howdah::aws::ClaimedSigner(request);
  if (howdah::aws::Verify(request, OneKey(), now)) __builtin_trap();
  return 0;
}
