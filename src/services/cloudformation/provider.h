// A provider makes, changes and deletes the resources of one type by calling the service that owns
// them. Every call may be repeated after a crash: what was made is found again by the token that
// was chosen, and committed, before the first call. Stateless; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/fault.h"
#include "aws/service.h"
#include "base/json.h"
#include "services/cloudformation/stack_store.h"
#include "system/entropy.h"

namespace howdah::cfn {

// The services that resources are made of. They outlive the providers.
struct Services {
  const aws::Service& ec2;
  const aws::Service& rds;
  const aws::Service& secretsmanager;
};

// The tags by which a resource is known to belong to a stack.
inline constexpr std::string_view kStackTag = "cloudformation:stack-id";
inline constexpr std::string_view kLogicalIdTag = "cloudformation:logical-id";
inline constexpr std::string_view kTokenTag = "cloudformation:resource-token";

// Which resource is meant, for whom.
struct Subject {
  aws::RequestContext context;
  const Stack& stack;
  const ResourceRecord& record;
  Tags tags;  // of the stack and of us; a resource's own tags come on top

  const std::string& id() const { return record.physical_id; }
};

class Provider {
 public:
  explicit Provider(const Services& services) : services_(services) {}
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual ~Provider() = default;

  // The physical id of what an earlier try made, if it made something.
  virtual aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                        const json::object& properties) const = 0;
  // Makes the thing with one call; returns its physical id, which is what Ref gives.
  virtual aws::Outcome<std::string> Create(const Subject& subject,
                                           const json::object& properties) const = 0;
  // Whether what is left to do has to wait until it has settled.
  virtual bool ConfiguresWhenStable(const json::object& /*properties*/) const { return false; }
  // What is left to do once it exists. Idempotent.
  virtual aws::Outcome<void> Configure(const Subject&, const json::object&) const { return {}; }
  // Has it settled? A fault: it never will.
  virtual aws::Outcome<bool> IsStable(const Subject&) const { return true; }
  // Of a property whose change may ask for a replacement: does this one?
  virtual bool NeedsReplacement(std::string_view /*property*/, const json::object& /*before*/,
                                const json::object& /*after*/) const {
    return true;
  }
  // Changes the named properties in place. Idempotent.
  virtual aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                                    const json::object& after,
                                    const std::vector<std::string>& changed) const;
  // The physical id after such a change; few things get another one by it.
  virtual aws::Outcome<std::string> IdAfterUpdate(const Subject& subject,
                                                  const json::object& /*after*/) const {
    return subject.id();
  }
  // The thing's properties as they really are, by the template's names, for a comparison with
  // `expected`: those that cannot be read are left out. nullopt: it is gone.
  virtual aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                         const json::object& expected) const = 0;
  // Asks for its deletion; true when it is gone. Called until then.
  virtual aws::Outcome<bool> Delete(const Subject& subject) const = 0;
  virtual aws::Outcome<json::value> Attribute(const Subject& subject,
                                              std::string_view name) const = 0;

 protected:
  const Services& services_;
};

class Providers {
 public:
  explicit Providers(const Services& services);
  // Of a type that the template's tables know: always there.
  const Provider& Of(std::string_view type) const;

 private:
  std::map<std::string, std::unique_ptr<Provider>, std::less<>> by_type_;
};

// "stack-Logical-1A2B3C4D5E6F", as AWS names things that the template does not name.
std::string PhysicalName(const Stack& stack, std::string_view logical_id, std::string_view type,
                         system::Entropy& entropy);

// The tags of a resource: the stack's, ours, and its own.
Tags AllTags(const Subject& subject, const json::object& properties);
// The property as text, or the fallback.
std::string TextOf(const json::object& properties, std::string_view name,
                   std::string_view fallback = "");
json::value TextValue(const std::optional<std::string>& text);
bool Mentions(const std::vector<std::string>& names, std::string_view name);
// The list of a resource's own tags as a template has it, from all that the thing has: without ours
// and without those of the stack, unless `expected` has them itself.
json::array OwnTags(const Subject& subject, const Tags& all, const json::object& expected);
// A fault that says: it is not there.
bool IsNotFound(const aws::Fault& fault);

// One maker for each type, in providers/.
std::unique_ptr<Provider> MakeVpcProvider(const Services& services);
std::unique_ptr<Provider> MakeSubnetProvider(const Services& services);
std::unique_ptr<Provider> MakeSecurityGroupProvider(const Services& services);
std::unique_ptr<Provider> MakeRuleProvider(const Services& services, bool egress);
std::unique_ptr<Provider> MakeNetworkInterfaceProvider(const Services& services);
std::unique_ptr<Provider> MakeInternetGatewayProvider(const Services& services);
std::unique_ptr<Provider> MakeGatewayAttachmentProvider(const Services& services);
std::unique_ptr<Provider> MakeAddressProvider(const Services& services);
std::unique_ptr<Provider> MakeNatGatewayProvider(const Services& services);
std::unique_ptr<Provider> MakeRouteTableProvider(const Services& services);
std::unique_ptr<Provider> MakeRouteProvider(const Services& services);
std::unique_ptr<Provider> MakeRouteTableAssociationProvider(const Services& services);
std::unique_ptr<Provider> MakeDBSubnetGroupProvider(const Services& services);
std::unique_ptr<Provider> MakeDBInstanceProvider(const Services& services);
std::unique_ptr<Provider> MakeSecretProvider(const Services& services);
std::unique_ptr<Provider> MakeSecretAttachmentProvider(const Services& services);

}  // namespace howdah::cfn
