// Exports of stacks, and who imports them. Every change is added to a transaction with its compare.
#pragma once

#include <set>

#include "services/cloudformation/stack_store.h"

namespace howdah::cfn {

Result<std::vector<Export>> ListExports(store::Store& store);
// The value for a stack that imports; kInvalid "No export named X found." A stack cannot import
// what it exports itself.
Result<std::string> ImportedValue(store::Store& store, const std::string& name,
                                  std::string_view importing_stack);

// Makes the stack's exports those of `outputs`. kInvalid, in AWS's words, when a name belongs to
// another stack, or when a value that is in use would change or go.
Result<> PublishExports(store::Store& store, store::Transaction& transaction, const Stack& stack,
                        const std::vector<StackOutput>& outputs);
// Before a deletion: takes all exports away, or says which is in use ("Cannot delete export …").
Result<> WithdrawExports(store::Store& store, store::Transaction& transaction, const Stack& stack);
// Makes the stack a user of exactly these exports.
Result<> SetImports(store::Store& store, store::Transaction& transaction, Stack& stack,
                    const std::set<std::string>& names);

}  // namespace howdah::cfn
