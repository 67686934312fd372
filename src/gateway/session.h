// The start of one client's connection, after it was accepted and admitted: a look at its first
// bytes, TLS, waiting for the route to open, then the handover to PostgreSQL or to the relay. A
// primary that dies meanwhile costs the client time and no error, as long as it did not answer:
// the session waits again and begins anew. Lives on its loop's thread; keeps itself alive while
// anything of it is pending; bounded in memory and in time.
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

// What a client has said when it can be given to the relay.
struct Opening {
  std::string packet;      // its startup packet
  std::string behind;      // what came out of TLS behind that
  bool in_socket = false;  // the packet was only looked at
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // On the loop's thread.
  static void Start(Loop& loop, Admitted admitted);
  Session(Loop& loop, Admitted admitted);
  ~Session();

  // The table changed: leave if the route is gone; give up a primary of an older epoch; look again
  // if waiting. When this returns, nobody gets in under the older epoch by this session.
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
  // request_size: of the SSLRequest that is still in the socket; 0: direct TLS. True: the route has
  // come to lead to a server without TLS of its own, so look again.
  Task<bool> LeaveTlsToServer(std::size_t request_size);
  Task<> RefuseInTls(std::size_t request_size, Refusal refusal);
  Task<> ServeInTls(bool direct);
  Task<bool> Handshake(bool direct);
  Task<StartupEvent> ReadStartup(StartupParser& parser);
  std::optional<Refusal> Check(const StartupMessage& startup) const;
  Task<std::optional<Refusal>> AwaitOpen();
  bool MayTryNow() const;
  Task<> WaitForChange();
  // Both: false when the primary was not reached, and the client has noticed nothing. True: the
  // client is somebody else's, or gone.
  Task<bool> HandOver();
  Task<bool> Join(const Opening& opening);
  void Begin();
  bool Missed(std::string_view why);
  bool IsStale() const;
  Task<error_code> ConnectBackend(std::string path);
  Task<bool> AwaitBackend();
  bool HasAnswered();
  void LetGo();
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
  bool is_in_flight_ = false;               // the client's socket is passed, and not taken yet
  std::shared_ptr<const LiveRoute> route_;  // as found last
  std::optional<std::uint64_t> epoch_;      // while a primary is tried: in which epoch
  std::optional<std::uint64_t> unreached_;  // the epoch of the primary that was not reached last
  Timer::time_point try_again_;             // that one
  Duration pause_{};
  std::optional<Timer::time_point> until_;  // the end of all waiting, from the first time on
  std::optional<HeldPlace> place_;
  network::Ipv4 client_address_;
  std::optional<OpenConnection> open_;
};

}  // namespace howdah::gateway
