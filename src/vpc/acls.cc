// Entries of network ACLs, kept in the order of their numbers.
#include "vpc/acls.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "vpc/draft.h"
#include "vpc/routes.h"

namespace howdah::vpc {
namespace {

auto FindEntry(NetworkAcl& acl, int number, bool egress) {
  return std::ranges::find_if(acl.entries, [&](const AclEntry& entry) {
    return entry.number == number && entry.egress == egress;
  });
}

Error NoSuchEntry(const NetworkAcl& acl, int number) {
  return Error(Code::kNotFound, fmt::format("The network acl entry identified by {} in {} does "
                                            "not exist.",
                                            number, acl.id.str()));
}

std::string NumberOf(std::string_view protocol) {
  if (protocol == "all") return "-1";
  if (protocol == "tcp") return "6";
  if (protocol == "udp") return "17";
  if (protocol == "icmp") return "1";
  if (protocol == "icmpv6") return "58";
  return std::string(protocol);
}

}  // namespace

Result<> Normalize(AclEntry& entry) {
  TRY_ASSIGN(entry.range, CanonicalRange(entry.range));
  if (entry.number < 1 || entry.number > kMaxAclEntryNumber)
    return Fail(Code::kInvalid, fmt::format("Value ({}) for parameter ruleNumber is invalid. It "
                                            "must be between 1 and {}.",
                                            entry.number, kMaxAclEntryNumber));
  entry.protocol = NumberOf(entry.protocol);
  int number = 0;
  const char* end = entry.protocol.data() + entry.protocol.size();
  const auto parsed = std::from_chars(entry.protocol.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < -1 || number > 255)
    return Fail(Code::kInvalid, fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.",
                                            entry.protocol));
  const bool has_ports = number == 6 || number == 17;
  if (!has_ports && number != 1 && number != 58) entry.from_port = entry.to_port = -1;
  const bool legal =
      entry.from_port >= 0 && entry.from_port <= entry.to_port && entry.to_port <= 65535;
  if (has_ports && !legal)
    return Fail(Code::kInvalid,
                "Invalid value for portRange. Must specify both from and to ports "
                "with TCP/UDP, between 0 and 65535.");
  return {};
}

Result<> AddAclEntry(const Context& context, store::Transaction& transaction, const AclId& id,
                     const AclEntry& entry) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(NetworkAcl acl, draft.Load<NetworkAcl>(id));
  if (FindEntry(acl, entry.number, entry.egress) != acl.entries.end())
    return Fail(
        Code::kAlreadyExists,
        fmt::format("The network acl entry identified by {} already exists.", entry.number));
  const auto count = std::ranges::count(acl.entries, entry.egress, &AclEntry::egress);
  if (static_cast<std::size_t>(count) >= kMaxAclEntries)
    return Fail(Code::kExhausted, "The maximum number of network acl entries has been reached.");
  acl.entries.push_back(entry);
  std::ranges::sort(acl.entries, {}, &AclEntry::number);
  draft.Save(acl);
  return {};
}

Result<> ReplaceAclEntry(const Context& context, store::Transaction& transaction, const AclId& id,
                         const AclEntry& entry) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(NetworkAcl acl, draft.Load<NetworkAcl>(id));
  const auto found = FindEntry(acl, entry.number, entry.egress);
  if (found == acl.entries.end()) return Fail(NoSuchEntry(acl, entry.number));
  *found = entry;
  draft.Save(acl);
  return {};
}

Result<> RemoveAclEntry(const Context& context, store::Transaction& transaction, const AclId& id,
                        int number, bool egress) {
  Draft draft(context.store, transaction);
  TRY_ASSIGN(NetworkAcl acl, draft.Load<NetworkAcl>(id));
  const auto found = FindEntry(acl, number, egress);
  if (found == acl.entries.end()) return Fail(NoSuchEntry(acl, number));
  acl.entries.erase(found);
  draft.Save(acl);
  return {};
}

}  // namespace howdah::vpc
