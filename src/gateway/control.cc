// The control socket's server; see control.h.
#include "gateway/control.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "gateway/route_client.h"

namespace howdah::gateway {
namespace {

// A private directory is what makes the socket private between bind and chmod.
Result<void> PrepareDirectory(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return Fail(ErrnoError("making " + directory, errno));
  struct stat info{};
  if (stat(directory.c_str(), &info) != 0)
    return Fail(ErrnoError("looking at " + directory, errno));
  if (info.st_uid != geteuid() || (info.st_mode & 077) != 0)
    return Fail(Code::kPermission,
                directory + " must belong to the gateway's user, with mode 0700");
  return {};
}

Result<int> TakeLock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(ErrnoError("opening " + path, errno));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const int why = errno;
  close(fd);
  if (why == EWOULDBLOCK)
    return Fail(Code::kAlreadyExists, "another gateway serves this control socket");
  return Fail(ErrnoError("locking " + path, why));
}

bool IsOurUser(UnixSocket& socket) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  return getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         peer.uid == geteuid();
}

}  // namespace

struct Control::Connection {
  UnixSocket socket;
  std::string buffer;
};

Result<std::unique_ptr<Control>> Control::Open(Loop& home, const std::string& path,
                                               Handler handler) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0 || path.size() >= sizeof(sockaddr_un::sun_path))
    return Fail(Code::kInvalid, "the control socket needs a short path with a directory: " + path);
  TRY(PrepareDirectory(path.substr(0, slash)));
  TRY_ASSIGN(const int lock_fd, TakeLock(path + ".lock"));
  std::unique_ptr<Control> control(new Control(home, path, std::move(handler), lock_fd));
  unlink(path.c_str());
  error_code error;
  UnixAcceptor& acceptor = control->acceptor_;
  const asio::local::stream_protocol::endpoint endpoint(path);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error && chmod(path.c_str(), 0600) != 0)
    error = error_code(errno, boost::system::system_category());
  if (!error) acceptor.listen(16, error);
  if (error) return Fail(Code::kInternal, "listening on " + path + ": " + error.message());
  asio::co_spawn(
      home.io, [raw = control.get()]() -> Task<> { co_await raw->Accept(); }, asio::detached);
  return control;
}

Control::Control(Loop& home, std::string path, Handler handler, int lock_fd)
    : home_(home),
      path_(std::move(path)),
      handler_(std::move(handler)),
      lock_fd_(lock_fd),
      acceptor_(home.io),
      pause_(home.io) {}

Control::~Control() {
  Close();
  close(lock_fd_);
}

void Control::Close() {
  error_code ignored;
  if (acceptor_.is_open()) unlink(path_.c_str());
  acceptor_.close(ignored);
  pause_.cancel();
  if (current_) current_->socket.close(ignored);
}

Task<> Control::Accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(home_.io, kAwait);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      home_.log.Warning("accepting the agent: {}", error.message());
      pause_.expires_after(100ms);
      co_await pause_.async_wait(kAwait);
    } else if (!IsOurUser(socket)) {
      home_.log.Warning("another user tried the control socket");
    } else {
      error_code ignored;
      if (current_) current_->socket.close(ignored);
      current_ = std::make_shared<Connection>(std::move(socket));
      asio::co_spawn(
          home_.io, [this, connection = current_]() -> Task<> { co_await Serve(connection); },
          asio::detached);
    }
  }
}

Task<> Control::Serve(std::shared_ptr<Connection> connection) {
  std::array<char, 16384> chunk;
  std::string& buffer = connection->buffer;
  for (;;) {
    const auto [error, count] =
        co_await connection->socket.async_read_some(asio::buffer(chunk), kAwait);
    if (error) break;
    buffer.append(chunk.data(), count);
    for (auto end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      const std::string answer = co_await Answer(std::move(line));
      const auto [write_error, written] =
          co_await asio::async_write(connection->socket, asio::buffer(answer), kAwait);
      if (write_error) break;
    }
    if (buffer.size() > kMaxMessageBytes) break;
  }
  error_code ignored;
  connection->socket.close(ignored);
}

Task<std::string> Control::Answer(std::string line) {
  auto request = ParseJsonObject(line);
  json::object answer;
  if (request)
    answer = co_await handler_(*std::move(request));
  else
    answer["error"] = request.error().what();
  co_return json::serialize(answer) + "\n";
}

}  // namespace howdah::gateway
