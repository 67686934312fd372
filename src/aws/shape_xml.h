// Generated structs as XML, the answers of the query and ec2 protocols: written by the server, read
// by the client.
#pragma once

#include "aws/shape.h"
#include "aws/xml.h"
#include "base/result.h"

namespace howdah::aws {

// Writes the members of a struct. Lists are always written, other absent members never.
void EncodeXml(XmlWriter& writer, const ShapeDesc& shape, const void* value);

// Fills a struct from an element's children. What the model does not know is skipped.
Result<> DecodeXml(const XmlNode& node, const ShapeDesc& shape, void* value);

}  // namespace howdah::aws
