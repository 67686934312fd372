// What the command line hands to the two programs that live in this binary, serve and gateway.
// Plain values: whoever runs the program decides what they mean.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace howdah::cli {

inline constexpr const char* kDefaultListen = "127.0.0.1:4566";
inline constexpr const char* kDefaultRegion = "us-west-2";

struct ServeOptions {
  std::string home;                     // absolute path; may not exist yet
  std::string listen = kDefaultListen;  // ADDR:PORT; port 0 lets the kernel choose
  std::string region = kDefaultRegion;  // the one region that this daemon is
  // Where a zone's volumes live, where that is not HOME/zones/ZONE: {"us-west-2a", "/mnt/disk1"}.
  std::vector<std::pair<std::string, std::string>> zones;
  std::string repository;               // of backups: a directory or s3://…; empty: HOME/backups
  int restore_tests_days = 7;           // how often backups are restored for a test; 0: never
  int max_instances = 40;               // how many DB instances there may be: RDS's default quota
  int failover_hold_down_seconds = 60;  // 0: no limit on failovers at all
  bool verbose = false;                 // debug lines on stderr too
};

// What PostgreSQL asks for while it recovers from a backup.
struct RestoreWalOptions {
  std::string home;
  std::string repository;
  std::string plan;    // the file that says which objects give which WAL
  std::string file;    // %f: what is wanted
  std::string target;  // %p: where it is to be
};

struct GatewayOptions {
  std::string control;  // path of the Unix socket from which routes come
  int threads = 2;      // event loops, one a thread
};

}  // namespace howdah::cli
