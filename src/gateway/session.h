// The start of one client's connection, after it was accepted and admitted: a look at its first
// bytes, TLS, waiting for the route to open, then the handover to PostgreSQL or to the relay. Lives
// on its loop's thread; keeps itself alive while anything of it is pending; bounded in memory and
// in time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/client_stream.h"
#include "gateway/first_look.h"
#include "gateway/loop.h"
#include "gateway/startup.h"
#include "network/admission.h"

namespace howdah::gateway {

// A connection that security groups let in, counted as open.
struct Admitted {
  TcpSocket socket;
  std::shared_ptr<const LiveRoute> route;
  network::Ipv4 client_address;
  OpenConnection open;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // On the loop's thread.
  static void Start(Loop& loop, Admitted admitted);
  Session(Loop& loop, Admitted admitted);
  ~Session();

  // The table changed: leave if the route is gone or of a newer epoch, look again if waiting.
  void OnTable();
  // Ends at once, in good order.
  void Close();

 private:
  // RST: what the client has in flight is lost, and it must not take it for done.
  void Abort();
  Task<> Run();
  Task<FirstLook> AwaitFirstLook(Asked& asked);
  FirstLook LookNow(Asked& asked, bool& ended);
  Task<> Follow(FirstLook look);
  // Takes what was looked at out of the socket, and answers.
  Task<bool> AnswerRequest(std::size_t size, std::string_view answer);
  Task<> ServeInTheClear(const StartupMessage& startup);
  Task<> HandOver();
  void LetGo();
  // request_size: of the SSLRequest that is still in the socket; 0: direct TLS.
  Task<> LeaveTlsToServer(std::size_t request_size);
  Task<> RefuseInTls(std::size_t request_size, Refusal refusal);
  Task<> ServeInTls(bool direct);
  Task<bool> Handshake(bool direct);
  Task<StartupEvent> ReadStartup(StartupParser& parser);
  Task<> Join(std::string first_bytes);
  std::optional<Refusal> Check(const StartupMessage& startup) const;
  Task<std::optional<Refusal>> AwaitOpen();
  Task<std::optional<Refusal>> Reach(std::string path);
  Task<error_code> ConnectBackend(std::string path);
  Task<> ForwardCancel(std::string packet);
  Task<> Refuse(Refusal refusal);
  // After this the session is closed when the time is up, whatever it is doing.
  void CloseAfter(Duration duration);
  Task<> Pause();

  Loop& loop_;
  ClientStream client_;
  UnixSocket backend_;
  Timer deadline_;
  Timer waiting_;
  bool is_waiting_ = false;
  std::shared_ptr<const LiveRoute> route_;  // as found last
  std::optional<std::uint64_t> epoch_;      // set when a backend is spent
  network::Ipv4 client_address_;
  std::optional<OpenConnection> open_;
};

}  // namespace howdah::gateway
