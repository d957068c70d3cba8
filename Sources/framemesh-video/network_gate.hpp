// The one address that this process may call.
#pragma once

#include <string>

namespace framemesh {

/// From here on `connect` goes to this address and port only, whatever name or address FFmpeg was led to (a redirect, a
/// name that means something else by now), and not more than a few times; every name means this address. Before this,
/// nothing may be called. `where`: `192.0.2.7:554` or `[2001:db8::7]:554`.
/// - Throws: Failure.
void allow_only(const std::string& where);

/// Somebody wanted to call another one.
bool was_kept_from_elsewhere();

}  // namespace framemesh
