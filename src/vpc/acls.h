// The entries of network ACLs. Records: they filter nothing, so an entry that denies is refused.
#pragma once

#include "store/store.h"
#include "vpc/context.h"
#include "vpc/records.h"

namespace howdah::vpc {

inline constexpr int kLastAclRule = 32767;  // "*": denies what no rule before it allows
inline constexpr int kMaxAclEntryNumber = 32766;
inline constexpr std::size_t kMaxAclEntries = 20;  // a direction, as AWS's default quota

// Protocol as a number, range and ports in their one form. kInvalid where they are none.
Result<> Normalize(AclEntry& entry);

// kAlreadyExists: the number is taken in this direction. kExhausted: too many.
Result<> AddAclEntry(const Context& context, store::Transaction& transaction, const AclId& id,
                     const AclEntry& entry);
// kNotFound: there is no entry with this number and direction.
Result<> ReplaceAclEntry(const Context& context, store::Transaction& transaction, const AclId& id,
                         const AclEntry& entry);
Result<> RemoveAclEntry(const Context& context, store::Transaction& transaction, const AclId& id,
                        int number, bool egress);

}  // namespace howdah::vpc
