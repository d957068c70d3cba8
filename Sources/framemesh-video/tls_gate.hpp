// TLS with live sources: whoever answers has to prove that it is the host of the URL, whatever FFmpeg was told or asks for.
#pragma once

#include <string>

namespace framemesh {

/// From here on, TLS is spoken with `host` only, by a certificate of one of the authorities in `authorities`, a file of
/// PEM (empty: those of the system). Before this, no handshake succeeds. To be called while files can be opened.
/// - Throws: Failure, also if the TLS of this FFmpeg is another one than GnuTLS, which this stands before.
void trust_only(const std::string& host, const std::string& authorities);

}  // namespace framemesh
