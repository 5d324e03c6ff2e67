// SPDX-License-Identifier: Apache-2.0

internal import XML

/// The header of a stream (RFC 6120 §4.7), ours and the server's.
enum StreamHeader {
  /// What ends a stream.
  static let end = "</stream:stream>"

  /// Our header. It does not say who we are: before TLS that is nobody's business, and SASL says it after.
  static func text(to domain: String) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='\(Namespace.client)' xmlns:stream='\(Namespace.stream)' "
      + "to='\(XMLText.escaped(domain))' version='1.0' xml:lang='en'>"
  }

  /// Ends the stream from our side, naming what was wrong with the other.
  static func error(_ condition: String) -> String {
    let condition = Element(condition, Namespace.streamErrors).serialized(within: Namespace.client)
    return "<stream:error>\(condition)</stream:error>\(end)"
  }

  /// What is wrong with the server's header; nil for one that is right.
  static func problem(_ header: Element, domain: String) -> StreamEnd? {
    guard header.matches("stream", Namespace.stream) else {
      return StreamEnd(.protocol, "The server did not answer with an XMPP stream: check the server and the port.")
    }
    let version = header.attribute("version")?.utf8.split(separator: UInt8(ascii: "."))
    guard let major = version?.first.flatMap({ Int(Substring($0)) }), major >= 1 else {
      return StreamEnd(.protocol, "The server speaks XMPP from before version 1.0, which cannot be protected by TLS.")
    }
    if let from = header.attribute("from"), (try? BareJID(from)) != (try? BareJID(domain)) {
      return StreamEnd(
        .protocol, "The server answers for another domain than \(domain): check the account and the parameter server.")
    }
    return nil
  }
}
