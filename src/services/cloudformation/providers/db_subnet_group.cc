// AWS::RDS::DBSubnetGroup. Its name is chosen before it is made.
#include "services/cloudformation/providers/rds_tags.h"

namespace howdah::cfn {

namespace {

class DBSubnetGroupProvider : public Provider {
 public:
  using Provider::Provider;

  aws::Outcome<std::optional<std::string>> Find(const Subject& subject,
                                                const json::object& properties) const override {
    auto group = Describe(subject, NameOf(subject, properties));
    if (!group && IsNotFound(group.error())) return std::nullopt;
    if (!group) return std::unexpected(group.error());
    OUTCOME_ASSIGN(const bool ours,
                   IsMadeBy(services_, subject, group->db_subnet_group_arn.value_or("")));
    if (!ours) return std::nullopt;
    return group->db_subnet_group_name;
  }

  aws::Outcome<std::string> Create(const Subject& subject,
                                   const json::object& properties) const override {
    rds::CreateDBSubnetGroupMessage request;
    request.db_subnet_group_name = NameOf(subject, properties);
    request.db_subnet_group_description = TextOf(properties, "DBSubnetGroupDescription");
    request.subnet_ids = aws::List<std::string>(JsonStrings(properties, "SubnetIds"));
    request.tags = RdsTags(AllTags(subject, properties));
    OUTCOME_ASSIGN(const auto made,
                   Invoke<rds::CreateDBSubnetGroup>(services_.rds, subject.context, request));
    return made.db_subnet_group->db_subnet_group_name.value_or("");
  }

  aws::Outcome<void> Update(const Subject& subject, const json::object& before,
                            const json::object& after,
                            const std::vector<std::string>&) const override {
    rds::ModifyDBSubnetGroupMessage request;
    request.db_subnet_group_name = subject.id();
    request.db_subnet_group_description = TextOf(after, "DBSubnetGroupDescription");
    request.subnet_ids = aws::List<std::string>(JsonStrings(after, "SubnetIds"));
    OUTCOME_TRY(Invoke<rds::ModifyDBSubnetGroup>(services_.rds, subject.context, request));
    OUTCOME_ASSIGN(const rds::DBSubnetGroup group, Describe(subject, subject.id()));
    return UpdateRdsTags(services_, subject, group.db_subnet_group_arn.value_or(""), before, after);
  }

  aws::Outcome<std::optional<json::object>> Read(const Subject& subject,
                                                 const json::object& expected) const override {
    auto group = Describe(subject, subject.id());
    if (!group && IsNotFound(group.error())) return std::nullopt;
    if (!group) return std::unexpected(group.error());
    json::object actual = ReadMembers(
        ItemShape(rds::DescribeDBSubnetGroups::Desc(), "DBSubnetGroups"), &*group, expected);
    if (expected.contains("DBSubnetGroupName")) {
      actual.insert_or_assign("DBSubnetGroupName", TextOf(expected, "DBSubnetGroupName"));
    }
    json::array subnets;
    for (const auto& subnet : group->subnets)
      subnets.push_back(TextValue(subnet.subnet_identifier));
    actual.emplace("SubnetIds", std::move(subnets));
    if (expected.contains("Tags")) {
      OUTCOME_ASSIGN(const Tags tags,
                     TagsOf(services_, subject, group->db_subnet_group_arn.value_or("")));
      actual.emplace("Tags", OwnTags(subject, tags, expected));
    }
    return actual;
  }

  aws::Outcome<bool> Delete(const Subject& subject) const override {
    OUTCOME_TRY(Invoke<rds::DeleteDBSubnetGroup>(services_.rds, subject.context,
                                                 {.db_subnet_group_name = subject.id()}));
    return true;
  }

  aws::Outcome<json::value> Attribute(const Subject& subject, std::string_view) const override {
    return TextValue(subject.id());
  }

 private:
  static std::string NameOf(const Subject& subject, const json::object& properties) {
    return TextOf(properties, "DBSubnetGroupName", subject.record.physical_name);
  }

  aws::Outcome<rds::DBSubnetGroup> Describe(const Subject& subject, const std::string& name) const {
    rds::DescribeDBSubnetGroupsMessage request;
    request.db_subnet_group_name = name;
    OUTCOME_ASSIGN(const auto found,
                   Invoke<rds::DescribeDBSubnetGroups>(services_.rds, subject.context, request));
    if (found.db_subnet_groups.empty()) {
      return aws::Refuse("DBSubnetGroupNotFoundFault", "the DB subnet group is gone", 404);
    }
    return found.db_subnet_groups[0];
  }
};

}  // namespace

std::unique_ptr<Provider> MakeDBSubnetGroupProvider(const Services& services) {
  return std::make_unique<DBSubnetGroupProvider>(services);
}

}  // namespace howdah::cfn
