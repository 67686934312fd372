// ListSecrets' filters and order. Pure.
#pragma once

#include <string>
#include <vector>

#include "aws/fault.h"
#include "aws/generated/secretsmanager.h"
#include "secrets/record.h"

namespace howdah::services::secretsmanager {

// All filters must hold; of one filter's values, one, and none of those with "!" in front. A value
// is a prefix. Names and tags count case, descriptions and "all" do not; "all" looks for the words
// of a value at the beginning of words.
bool Matches(const secrets::Record& record, const aws::List<aws::secretsmanager::Filter>& filters);

// What a listing is sorted by: a text, so that a page can go on after the last one's.
aws::Outcome<std::string> SortKey(const secrets::Record& record, const std::string& sort_by);

}  // namespace howdah::services::secretsmanager
