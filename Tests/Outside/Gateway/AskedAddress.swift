// SPDX-License-Identifier: Apache-2.0

import Support

/// One of the gateway's addresses, and how people write it.
struct AskedAddress {
  /// As servers and the program write it.
  let jid: String
  /// The same JID otherwise.
  let spellings: [String]
  /// Whom it stands for, in the one spelling in which rules are compared; nil for nobody.
  let meant: String?

  static let domain = XMPPServer.componentDomain

  private init(_ local: String, also: [String] = [], meant: String?) {
    jid = "\(local)@\(Self.domain)"
    spellings = [jid] + also.map { "\($0)@\(Self.domain)" }
    self.meant = meant.map { "\($0)@\(Self.domain)" }
  }

  private init() { (jid, spellings, meant) = (Self.domain, [Self.domain], nil) }

  /// Those that somebody asks for. Each spelling that a server does not make the same is an address of its own, but rules
  /// see no difference.
  static let all = [
    AskedAddress("romeo%shakespeare.lit", also: ["Romeo%Shakespeare.LIT"], meant: "romeo%shakespeare.lit"),
    AskedAddress("romeo\\40shakespeare.lit", also: ["ROMEO\\40shakespeare.lit"], meant: "romeo%shakespeare.lit"),
    AskedAddress("mercutio%shakespeare.lit", meant: "mercutio%shakespeare.lit"),
    AskedAddress("+15551234", meant: "+15551234"),
    AskedAddress("+1-555-1234", meant: "+15551234"),
    AskedAddress("benvolio", also: ["Benvolio"], meant: "benvolio"),
    AskedAddress("two\\20words", meant: nil),
    AskedAddress(),
  ]

  /// Whom nobody ever asks: it stands for nobody.
  static let nobody = "nobody\\20here@\(domain)"

  /// What rules about addresses say, as they are written and as the program lists them.
  static let patterns = [
    ("*@sip.localhost", "*@sip.localhost"),
    ("*%shakespeare.lit@sip.localhost", "*%shakespeare.lit@sip.localhost"),
    ("romeo%*@sip.localhost", "romeo%*@sip.localhost"),
    ("romeo\\40shakespeare.lit@sip.localhost", "romeo%shakespeare.lit@sip.localhost"),
    ("Mercutio%shakespeare.lit@sip.localhost", "mercutio%shakespeare.lit@sip.localhost"),
    ("+1555*@sip.localhost", "+1555*@sip.localhost"),
    ("+1 (555) 1234@sip.localhost", "+15551234@sip.localhost"),
    ("ben*o@sip.localhost", "ben*o@sip.localhost"),
  ]
}
