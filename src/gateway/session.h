// One client's connection after it was accepted and admitted: a look at its first bytes, TLS,
// waiting for the route to open, then the handover or the relay. Lives on its loop's thread; keeps
// itself alive while anything of it is pending; bounded in memory (16 KiB each way) and, until a
// backend is spent, in time.
#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>

#include "gateway/first_look.h"
#include "gateway/loop.h"
#include "gateway/startup.h"
#include "network/admission.h"

namespace howdah::gateway {

class Session : public std::enable_shared_from_this<Session> {
 public:
  // On the loop's thread. The connection was counted as open already.
  static void Start(Loop& loop, TcpSocket client, std::shared_ptr<const LiveRoute> route,
                    network::Ipv4 client_address);
  Session(Loop& loop, TcpSocket client, std::shared_ptr<const LiveRoute> route,
          network::Ipv4 client_address);
  ~Session();

  // The table changed: leave if the route is gone or of a newer epoch, look again if waiting.
  void OnTable();
  // Cuts the client off with RST: what it has in flight is lost, and it must not take it for done.
  void Abort();
  // Ends at once, in good order.
  void Close();

 private:
  using TlsStream = asio::ssl::stream<TcpSocket&>;

  Task<> Run();
  Task<FirstLook> AwaitFirstLook(Asked& asked);
  FirstLook LookNow(Asked& asked, bool& ended);
  Task<> Follow(FirstLook look);
  Task<> ServeInTheClear(const StartupMessage& startup);
  Task<> HandOver();
  void LetGo();
  // request_size: of the SSLRequest that is still in the socket; 0: direct TLS.
  Task<> LeaveTlsToServer(std::size_t request_size);
  Task<> RefuseInTls(std::size_t request_size, Refusal refusal);
  Task<> NegotiateTls(bool direct);
  Task<bool> Handshake(bool direct);
  // Takes what was looked at out of the socket, and answers.
  Task<bool> AnswerRequest(std::size_t size, std::string_view answer);
  template <typename Stream>
  Task<StartupEvent> ReadStartup(Stream& stream, StartupParser& parser);
  template <typename Stream>
  Task<> Finish(Stream& stream, StartupEvent event, std::string rest);
  template <typename Stream>
  Task<> Relay(Stream& stream, std::string first_bytes);
  std::optional<Refusal> Check(const StartupMessage& startup) const;
  Task<std::optional<Refusal>> AwaitOpen();
  Task<std::optional<Refusal>> Reach(std::string path);
  Task<> ForwardCancel(std::string packet);
  Task<error_code> ConnectBackend(std::string path);
  template <typename Stream>
  Task<> Refuse(Stream& stream, Refusal refusal);
  Task<> EndOutput(TcpSocket& socket);
  Task<> EndOutput(UnixSocket& socket);
  Task<> EndOutput(TlsStream& stream);
  template <typename Stream>
  Task<> Drain(Stream& stream);
  template <typename Stream>
  void StartRelay(Stream& stream);
  template <typename Stream>
  Task<> PumpToBackend(Stream& from);
  template <typename Stream>
  Task<> PumpToClient(Stream& to);
  // After this the session is closed when the time is up, whatever it is doing.
  void CloseAfter(Duration duration);
  void PumpEnded();

  Loop& loop_;
  TcpSocket client_;
  std::optional<TlsStream> tls_;
  UnixSocket backend_;
  Timer deadline_;
  Timer waiting_;
  bool is_waiting_ = false;
  int pumps_left_ = 2;
  std::shared_ptr<const LiveRoute> route_;  // as found last
  std::optional<std::uint64_t> epoch_;      // set when a backend is spent
  network::Ipv4 client_address_;
};

}  // namespace howdah::gateway
