// The gateway's listening sockets, and the decision at accept: who may come in. Lives on the first
// loop; admitted connections are dealt out to all loops. What happens to a socket after the
// decision is not known here.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "gateway/loop.h"

namespace howdah::gateway {

class Listeners {
 public:
  // The loops outlive this; the first is home. max_clients: of all instances together.
  Listeners(std::vector<Loop*> loops, std::int64_t max_clients, const Log& log);
  ~Listeners();

  // Listens on exactly the addresses of these routes: closes, then opens. Returns who cannot
  // listen.
  std::vector<RouteError> Sync(const std::map<InstanceId, Route>& routes);
  void CloseAll();

 private:
  struct Listener;
  Result<std::shared_ptr<Listener>> Open(const Route& route);
  Task<> Accept(std::shared_ptr<Listener> listener);
  void Decide(Listener& listener, TcpSocket socket, Loop& loop);
  bool IsAdmitted(Listener& listener, const LiveRoute& route, TcpSocket& socket,
                  network::Ipv4& client_address);
  void CountRefused(Listener& listener);
  bool MayLog(Listener& listener);
  Task<> SurviveError(std::shared_ptr<Listener> listener, error_code error);
  void Shed(Listener& listener);

  std::vector<Loop*> loops_;
  Loop& home_;
  std::int64_t max_clients_;
  const Log& log_;
  std::size_t next_loop_ = 0;
  int reserve_fd_;  // given up for a moment to refuse a client when there are no descriptors left
  std::map<InstanceId, std::shared_ptr<Listener>> listeners_;
};

}  // namespace howdah::gateway
