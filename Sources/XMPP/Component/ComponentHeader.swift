// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import XML

/// What a component says to get in (XEP-0114).
enum ComponentHeader {
  /// Our header: it says whom we want to be, not whom we talk to.
  static func text(_ domain: String) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='\(Namespace.component)' xmlns:stream='\(Namespace.stream)' "
      + "to='\(XMLText.escaped(domain))'>"
  }

  /// The proof that we know the secret, tied to the id of the stream.
  static func handshake(id: String, secret: String) -> String {
    "<handshake>\(Hex.encode(Digest.sha1((id + secret).utf8)))</handshake>"
  }
}
