// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import Glibc
internal import TLS
internal import XMPP

/// The parameters of AddConnection. Each key is read, refused as not built, or refused as unknown: an account that
/// connects visibly when it was asked to be invisible is the worst fault that this program could have.
enum Parameters {
  static let known =
    "password, password-fd, client-certificate, client-certificate-fd, server, port, tls, ca-file, fingerprint, "
    + "accept-weaker-login, resource, priority, protocol, visibility, contacts, "
    + "mechanism, trust-unannounced, autoconnect"

  /// Reads the parameters of an account.
  /// - Parameter uid: whose account it is.
  /// - Throws: ``DBusError`` naming the key.
  static func read(
    _ account: BareJID, _ values: [String: Value], for uid: UInt32
  ) async throws -> AccountConfiguration {
    var parameters = Options(values, in: "parameters of AddConnection")
    try parameters.refuse("persist")
    if let name: String = try parameters.take("protocol"), name != "xmpp" {
      throw DBusError(.notSupported, "\"protocol\" is \"\(name)\", but only \"xmpp\" is built.")
    }
    let visibility = try visibility(&parameters, account)
    let mechanism = try mechanism(&parameters)
    var client = ClientConfiguration(account: account, password: "")
    client.server = try parameters.take("server")
    guard client.server != "" else {
      throw DBusError(.invalidArgs, "\"server\" is empty: give the name or address of a host, or leave it out.")
    }
    client.port = try parameters.take("port")
    guard client.port != 0 else {
      throw DBusError(.invalidArgs, "\"port\" is 0, but must be from 1 to 65535 (type q).")
    }
    client.tls = try parameters.take("tls", String.self).map { text throws(DBusError) in
      try oneOf([.starttls, .direct, .off], text, "\"tls\"")
    }
    client.caFile = try parameters.take("ca-file")
    if let path = client.caFile, path.utf8.first != UInt8(ascii: "/") {
      // It would be looked for where the daemon was started.
      throw DBusError(
        .invalidArgs, "\"ca-file\" is \"\(path.prefix(100))\", but must be a path that begins with \"/\".")
    }
    client.resource = try parameters.take("resource")
    if let resource = client.resource {
      do { _ = try account.with(resource: resource) } catch {
        throw DBusError(.invalidArgs, "\"resource\" cannot be one: \(error).")
      }
    }
    let priority = try parameters.takePriority()
    let credentials = try Credentials(&parameters)
    client.fingerprint = try fingerprint(&parameters, client, credentials)
    client.acceptsWeakerLogin = try parameters.take("accept-weaker-login", Bool.self) ?? false
    let connectsByItself = try parameters.take("autoconnect", Bool.self) ?? false
    try parameters.end(known: known)
    try credentials.check()
    (client.password, client.clientCertificate) = try await credentials.read(for: uid)
    var configuration = AccountConfiguration(client: client, visibility: visibility ?? .visible, priority: priority)
    configuration.mechanism = mechanism.mechanism
    configuration.trustsUnannounced = mechanism.trustsUnannounced
    configuration.connectsByItself = connectsByItself
    return configuration
  }

  /// Who may see the account before anything else is said; `nil` where that is not given.
  private static func visibility(_ parameters: inout Options, _ account: BareJID) throws -> VisibilityWish? {
    let mode: String? = try parameters.take("visibility")
    let contacts: [String]? = try parameters.take("contacts")
    guard let mode else {
      guard contacts == nil else {
        throw DBusError(
          .invalidArgs, "\"contacts\" says nothing without \"visibility\": add it, as \"except\" or \"only\".")
      }
      return nil
    }
    return try VisibilityWish(
      try oneOf(Mode.allCases, mode, "\"visibility\""), try NamedContacts(contacts ?? [], of: account, "\"contacts\""))
  }

  /// By which means the server is to be made to keep to it.
  private static func mechanism(
    _ parameters: inout Options
  ) throws(DBusError) -> (mechanism: Mechanism?, trustsUnannounced: Bool) {
    let usable = Mechanism.allCases.filter { $0 != .none }
    let mechanism = try parameters.take("mechanism", String.self).map { text throws(DBusError) in
      try oneOf(usable, text, "\"mechanism\"")
    }
    let trustsUnannounced: Bool = try parameters.take("trust-unannounced") ?? false
    if trustsUnannounced, let mechanism, mechanism != .invisiblePresence {
      throw DBusError(
        .invalidArgs,
        "\"trust-unannounced\" is about \"\(Mechanism.invisiblePresence.rawValue)\", and \"mechanism\" is "
          + "\"\(mechanism.rawValue)\": leave one of them out.")
    }
    return (mechanism, trustsUnannounced)
  }

  /// The hash of the certificate that the server must have. What goes with no certificates is refused.
  private static func fingerprint(
    _ parameters: inout Options, _ client: ClientConfiguration, _ credentials: Credentials
  ) throws(DBusError) -> String? {
    let text: String? = try parameters.take("fingerprint")
    if client.tls == .off, text != nil || credentials.hasCertificate {
      throw DBusError(
        .invalidArgs,
        "\"tls\" \"off\" has no certificates: leave out \"\(text == nil ? "client-certificate" : "fingerprint")\".")
    }
    guard let text else { return nil }
    guard client.caFile == nil else {
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
