// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import TLS
internal import XMPP

/// The parameters of AddConnection. Each key is read, refused as not built, or refused as unknown: an account that
/// connects visibly when it was asked to be invisible is the worst fault that this program could have.
///
/// Those of accounts are in `Parameters+Account.swift`, those of gateways in `Parameters+Gateway.swift`.
enum Parameters {
  /// Which kind of connection is wanted.
  /// - Throws: `NotSupported` for a protocol that is not built.
  static func `protocol`(_ values: [String: Value]) throws(DBusError) -> ConnectionProtocol {
    var parameters = Options(values, in: "parameters of AddConnection")
    guard let name: String = try parameters.take("protocol") else { return .xmpp }
    guard let known = ConnectionProtocol(rawValue: name) else {
      let built = ConnectionProtocol.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " and ")
      throw DBusError(.notSupported, "\"protocol\" is \"\(name.prefix(100))\", but only \(built) are built.")
    }
    return known
  }

  /// What a connection is to be.
  /// - Throws: ``AccountError`` `invalidJID` for what cannot be one of this protocol.
  static func name(_ text: String, of protocol: ConnectionProtocol) throws(AccountError) -> BareJID {
    let jid = try bareJID(text, "account")
    switch `protocol` {
    case .xmpp where jid.localpart == nil:
      throw AccountError(.invalidJID, "account must have a part in front of the \"@\", as juliet@example.org.")
    case .component where jid.localpart != nil:
      throw AccountError(
        .invalidJID,
        "account must be a domain for \"xmpp-component\", as \(jid.domain), without \"\(jid.localpart ?? "")@\"."
      )
    case .component where isNumeric(jid.domain):
      throw AccountError(
        .invalidJID, "account is \(jid.domain), but a gateway is known by a name, as sip.example.org.")
    case .xmpp, .component: return jid
    }
  }

  /// Whether a domain is an address of a machine: that has no parent which could be the server.
  private static func isNumeric(_ domain: String) -> Bool {
    domain.utf8.first == UInt8(ascii: "[") || domain.utf8.allSatisfy("0123456789.".utf8.contains)
  }

  /// Reads all parameters.
  /// - Parameter uid: whose connection it is.
  /// - Throws: ``DBusError`` naming the key.
  static func read(
    _ jid: BareJID, _ protocol: ConnectionProtocol, _ values: [String: Value], for uid: UInt32
  ) async throws -> ConnectionConfiguration {
    switch `protocol` {
    case .xmpp: .account(try await account(jid, values, for: uid))
    case .component: .gateway(try await gateway(jid, values, for: uid))
    }
  }

  // MARK: What both have

  /// Where to connect to.
  struct Place {
    let server: String?
    let port: UInt16?
    let caFile: String?

    init(_ parameters: inout Options) throws(DBusError) {
      server = try parameters.take("server")
      guard server != "" else {
        throw DBusError(.invalidArgs, "\"server\" is empty: give the name or address of a host, or leave it out.")
      }
      port = try parameters.take("port")
      guard port != 0 else {
        throw DBusError(.invalidArgs, "\"port\" is 0, but must be from 1 to 65535 (type q).")
      }
      caFile = try parameters.take("ca-file")
      if let caFile, caFile.utf8.first != UInt8(ascii: "/") {
        // It would be looked for where the daemon was started.
        throw DBusError(
          .invalidArgs, "\"ca-file\" is \"\(caFile.prefix(100))\", but must be a path that begins with \"/\".")
      }
    }
  }

  /// Who may see us before anything else is said; `nil` where that is not given.
  static func visibility(_ parameters: inout Options, of jid: BareJID) throws -> (Mode, NamedContacts)? {
    let mode: String? = try parameters.take("visibility")
    let contacts: [String]? = try parameters.take("contacts")
    guard let mode else {
      guard contacts == nil else {
        throw DBusError(
          .invalidArgs, "\"contacts\" says nothing without \"visibility\": add it, as \"except\" or \"only\".")
      }
      return nil
    }
    return (
      try oneOf(Mode.allCases, mode, "\"visibility\""), try NamedContacts(contacts ?? [], of: jid, "\"contacts\"")
    )
  }

  /// The hash of the certificate that the server must have. What goes with no certificates is refused.
  /// - Parameters:
  ///   - isPlain: whether there is to be no TLS.
  ///   - hasOwn: whether we are to show a certificate of our own.
  static func fingerprint(
    _ parameters: inout Options, _ place: Place, isPlain: Bool, hasOwn: Bool = false
  ) throws(DBusError) -> String? {
    let text: String? = try parameters.take("fingerprint")
    if isPlain, text != nil || hasOwn {
      throw DBusError(
        .invalidArgs,
        "\"tls\" \"off\" has no certificates: leave out \"\(text == nil ? "client-certificate" : "fingerprint")\".")
    }
    guard let text else { return nil }
    guard place.caFile == nil else {
      throw DBusError(
        .invalidArgs,
        "\"fingerprint\" takes the place of every other check of the server's certificate: leave out \"ca-file\".")
    }
    guard let normal = CertificateFingerprint.normalized(text) else {
      throw DBusError(
        .invalidArgs,
        "\"fingerprint\" must be the SHA-256 hash of the server's certificate: 64 hexadecimal digits, with a colon "
          + "after every two or without.")
    }
    return normal
  }
}
