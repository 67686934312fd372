// The documents of exports, read and written as a whole: there are few.
#include "services/cloudformation/exports.h"

#include <fmt/format.h>

#include <algorithm>

namespace howdah::cfn {

namespace {

struct StoredExport {
  Export one;
  store::Revision revision = 0;
};

Result<std::map<std::string, StoredExport>> Load(store::Store& store) {
  TRY_ASSIGN(const store::Listing listing, store.List(kExports));
  std::map<std::string, StoredExport> exports;
  for (const store::Document& document : listing.documents) {
    TRY_ASSIGN(Export one, ParseExport(document.value));
    std::string name = one.name;
    exports[std::move(name)] = {std::move(one), document.revision};
  }
  return exports;
}

void Put(store::Transaction& transaction, const StoredExport& stored) {
  const std::string key = ExportKey(stored.one.name);
  transaction.compares.push_back({key, stored.revision});
  transaction.puts.push_back({key, Format(stored.one), ""});
}

void Take(store::Transaction& transaction, const StoredExport& stored) {
  const std::string key = ExportKey(stored.one.name);
  transaction.compares.push_back({key, stored.revision});
  transaction.deletes.push_back(key);
}

// "A, B and C": the stacks that import it, by name.
Result<std::string> Users(store::Store& store, const Export& one) {
  std::string text;
  for (std::size_t at = 0; at < one.importers.size(); ++at) {
    TRY_ASSIGN(const StoredStack user, GetStack(store, one.importers[at]));
    if (at > 0) text += at + 1 == one.importers.size() ? " and " : ", ";
    text += user.stack.name;
  }
  return text;
}

bool IsExportName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '-';
  });
}

Result<> Publish(store::Store& store, store::Transaction& transaction, const Stack& stack,
                 const StackOutput& output, const std::map<std::string, StoredExport>& known) {
  const auto found = known.find(output.export_name);
  if (found == known.end()) {
    const Export made{.name = output.export_name,
                      .value = output.value,
                      .stack_id = stack.id,
                      .stack_arn = stack.arn,
                      .stack_name = stack.name,
                      .importers = {}};
    Put(transaction, {made, 0});
    return {};
  }
  StoredExport stored = found->second;
  if (stored.one.stack_id != stack.id) {
    return Fail(Code::kInvalid, fmt::format("Export with name {} is already exported by stack {}",
                                            output.export_name, stored.one.stack_name));
  }
  if (stored.one.value == output.value) return {};
  if (!stored.one.importers.empty()) {
    TRY_ASSIGN(const std::string users, Users(store, stored.one));
    return Fail(Code::kInvalid, fmt::format("Export {} cannot be updated as it is in use by {}",
                                            output.export_name, users));
  }
  stored.one.value = output.value;
  Put(transaction, stored);
  return {};
}

}  // namespace

Result<std::vector<Export>> ListExports(store::Store& store) {
  TRY_ASSIGN(auto exports, Load(store));
  std::vector<Export> all;
  for (auto& [name, stored] : exports) all.push_back(std::move(stored.one));
  return all;
}

Result<std::string> ImportedValue(store::Store& store, const std::string& name,
                                  std::string_view importing_stack) {
  const auto missing = [&] {
    return Fail(Code::kInvalid, fmt::format("No export named {} found.", name));
  };
  const auto document = store.Get(ExportKey(name));
  if (!document && document.error().code() == Code::kNotFound) return missing();
  if (!document) return Fail(document.error());
  TRY_ASSIGN(Export one, ParseExport(document->value));
  if (one.stack_id == importing_stack) return missing();
  return std::move(one.value);
}

Result<> PublishExports(store::Store& store, store::Transaction& transaction, const Stack& stack,
                        const std::vector<StackOutput>& outputs) {
  TRY_ASSIGN(const auto known, Load(store));
  std::set<std::string> names;
  for (const StackOutput& output : outputs) {
    if (output.export_name.empty()) continue;
    if (!IsExportName(output.export_name)) {
      return Fail(Code::kInvalid,
                  fmt::format("Output {} is malformed. The Name field of every Export member must "
                              "be at most 255 letters, digits, colons and hyphens.",
                              output.key));
    }
    if (!names.insert(output.export_name).second) {
      return Fail(Code::kInvalid, fmt::format("Duplicate Export names: {}", output.export_name));
    }
    TRY(Publish(store, transaction, stack, output, known));
  }
  for (const auto& [name, stored] : known) {
    if (stored.one.stack_id != stack.id || names.contains(name)) continue;
    if (!stored.one.importers.empty()) {
      TRY_ASSIGN(const std::string users, Users(store, stored.one));
      return Fail(Code::kInvalid,
                  fmt::format("Export {} cannot be deleted as it is in use by {}", name, users));
    }
    Take(transaction, stored);
  }
  return {};
}

Result<> WithdrawExports(store::Store& store, store::Transaction& transaction, const Stack& stack) {
  TRY_ASSIGN(const auto known, Load(store));
  for (const auto& [name, stored] : known) {
    if (stored.one.stack_id != stack.id) continue;
    if (!stored.one.importers.empty()) {
      TRY_ASSIGN(const std::string users, Users(store, stored.one));
      return Fail(Code::kInvalid,
                  fmt::format("Cannot delete export {} as it is in use by {}.", name, users));
    }
    Take(transaction, stored);
  }
  return {};
}

Result<> SetImports(store::Store& store, store::Transaction& transaction, Stack& stack,
                    const std::set<std::string>& names) {
  if (names.empty() && stack.imports.empty()) return {};
  TRY_ASSIGN(const auto known, Load(store));
  for (const std::string& name : names) {
    const auto found = known.find(name);
    if (found == known.end() || found->second.one.stack_id == stack.id) {
      return Fail(Code::kInvalid, fmt::format("No export named {} found.", name));
    }
    StoredExport stored = found->second;
    if (std::ranges::find(stored.one.importers, stack.id) != stored.one.importers.end()) continue;
    stored.one.importers.push_back(stack.id);
    Put(transaction, stored);
  }
  for (const std::string& name : stack.imports) {
    const auto found = known.find(name);
    if (names.contains(name) || found == known.end()) continue;
    StoredExport stored = found->second;
    std::erase(stored.one.importers, stack.id);
    Put(transaction, stored);
  }
  stack.imports.assign(names.begin(), names.end());
  return {};
}

}  // namespace howdah::cfn
