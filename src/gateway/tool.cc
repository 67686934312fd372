// The gateway alone, for its system test and for measuring: howdah_gateway_tool CONTROL_SOCKET
// [THREADS [STARTUP_MS [HOLD_MS]]]
#include <cstdio>
#include <cstdlib>

#include "gateway/gateway.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  howdah::gateway::Options options;
  options.control_socket_path = argv[1];
  if (argc > 2) options.threads = std::atoi(argv[2]);
  if (argc > 3) options.limits.startup = std::chrono::milliseconds(std::atoi(argv[3]));
  if (argc > 4) options.limits.hold = std::chrono::milliseconds(std::atoi(argv[4]));
  const howdah::Log log([](howdah::LogLevel level, std::string_view line) {
    fmt::print(stderr, "{} {}\n", howdah::LogLevelName(level), line);
  });
  const auto result = howdah::gateway::Run(options, log);
  if (result) return 0;
  fmt::print(stderr, "error: {}\n", result.error().what());
  return 1;
}
