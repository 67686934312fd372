// The names of everything that the host agent has on disk, below Howdah's home.
#pragma once

#include <map>
#include <string>

#include "base/ids.h"
#include "postgres/node.h"

namespace howdah::host {

class Layout {
 public:
  // `zones` gives a zone another directory than HOME/zones/<zone>: another disk.
  explicit Layout(std::string home, std::map<std::string, std::string> zones = {})
      : home_(std::move(home)), zones_(std::move(zones)) {}

  const std::string& home() const { return home_; }

  std::string ZoneDirectory(const std::string& zone) const {
    const auto found = zones_.find(zone);
    return found == zones_.end() ? home_ + "/zones/" + zone : found->second;
  }
  // A Unix socket's path has at most 107 bytes, so sockets live near the top.
  std::string SocketDirectory(const NodeId& node) const { return home_ + "/run/" + node.str(); }
  postgres::NodePaths NodeAt(const std::string& zone, const NodeId& node) const {
    return {.root = ZoneDirectory(zone) + "/" + node.str(), .socket_dir = SocketDirectory(node)};
  }
  std::string GatewayDirectory() const { return home_ + "/run/gateway"; }
  std::string GatewaySocket() const { return GatewayDirectory() + "/control.sock"; }
  std::string GatewayPidFile() const { return GatewayDirectory() + "/pid"; }
  std::string GatewayLog() const { return home_ + "/log/gateway.log"; }
  std::string TlsRoot() const { return home_ + "/tls"; }
  std::string TlsDirectory(const InstanceId& instance) const {
    return TlsRoot() + "/" + instance.str();
  }

 private:
  std::string home_;
  std::map<std::string, std::string> zones_;
};

}  // namespace howdah::host
