// Bodies of answers, by protocol: the frame around an output, and the fault.
#pragma once

#include <string>
#include <string_view>

#include "aws/fault.h"
#include "aws/shape.h"

namespace howdah::aws {

// The body of a success. output is the operation's generated struct, or Empty.
std::string EncodeOutput(const ServiceDesc& service, const OperationDesc& operation,
                         const void* output, std::string_view request_id);

// The body of a fault; the HTTP status is the fault's own.
std::string EncodeFault(Protocol protocol, std::string_view xml_namespace, const Fault& fault,
                        std::string_view request_id);

// What HTTP itself has against a request: too large, too slow, malformed, a wrong method.
Fault TransportFault(Protocol protocol, int status, std::string reason);

// Faults of authentication have other codes in ec2 and in the JSON services.
Fault InWordsOf(Protocol protocol, Fault fault);

std::string_view ContentType(Protocol protocol);

}  // namespace howdah::aws
