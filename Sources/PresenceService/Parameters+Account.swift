// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import TLS
internal import XMPP

extension Parameters {
  private static let known =
    "password, password-fd, client-certificate, client-certificate-fd, server, port, tls, ca-file, fingerprint, "
    + "accept-weaker-login, resource, priority, protocol, visibility, contacts, "
    + "mechanism, trust-unannounced, autoconnect"

  /// Reads the parameters of an account.
  /// - Parameter uid: whose account it is.
  /// - Throws: ``DBusError`` naming the key.
  static func account(
    _ account: BareJID, _ values: [String: Value], for uid: UInt32
  ) async throws -> AccountConfiguration {
    var parameters = Options(values, in: "parameters of AddConnection")
    try parameters.refuse("persist")
    _ = try parameters.take("protocol", String.self)
    let visibility = try visibility(&parameters, of: account)
      .map { mode, named throws(AccountError) in try VisibilityWish(mode, named) }
    let mechanism = try mechanism(&parameters)
    let place = try Place(&parameters)
    var client = ClientConfiguration(account: account, password: "")
    (client.server, client.port, client.caFile) = (place.server, place.port, place.caFile)
    client.tls = try parameters.take("tls", String.self).map { text throws(DBusError) in
      try oneOf([.starttls, .direct, .off], text, "\"tls\"")
    }
    client.resource = try parameters.take("resource")
    if let resource = client.resource {
      do { _ = try account.with(resource: resource) } catch {
        throw DBusError(.invalidArgs, "\"resource\" cannot be one: \(error).")
      }
    }
    let priority = try parameters.takePriority()
    let credentials = try Credentials(&parameters)
    client.fingerprint = try fingerprint(
      &parameters, place, isPlain: client.tls == .off, hasOwn: credentials.hasCertificate)
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
}
