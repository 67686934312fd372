// The server's side of the control socket (docs/formats/gateway-routes.md): one agent at a time,
// JSON lines in, JSON lines out. Lives on the first loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "gateway/loop.h"

namespace howdah::gateway {

class Control {
 public:
  using Handler = std::function<Task<json::object>(json::object)>;

  // Takes the lock beside the socket, so that a second gateway fails instead of stealing the name.
  static Result<std::unique_ptr<Control>> Open(Loop& home, const std::string& path,
                                               Handler handler);
  ~Control();
  void Close();

 private:
  struct Connection;
  Control(Loop& home, std::string path, Handler handler, int lock_fd);
  Task<> Accept();
  Task<> Serve(std::shared_ptr<Connection> connection);
  Task<std::string> Answer(std::string line);

  Loop& home_;
  std::string path_;
  Handler handler_;
  int lock_fd_;
  UnixAcceptor acceptor_;
  Timer pause_;
  std::shared_ptr<Connection> current_;
};

}  // namespace howdah::gateway
