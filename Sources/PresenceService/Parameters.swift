// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBus
internal import EventLoop
internal import Glibc
internal import XMPP

/// The parameters of AddConnection. Each key is read, refused as not built, or refused as unknown: an account that
/// connects visibly when it was asked to be invisible is the worst fault that this program could have.
enum Parameters {
  static let known = "password, password-fd, server, port, tls, ca-file, resource, priority, protocol, visibility"

  /// Reads the parameters of an account.
  /// - Throws: ``DBusError`` naming the key.
  static func read(_ account: BareJID, _ values: [String: Value]) async throws -> AccountConfiguration {
    var parameters = Options(values, in: "parameters of AddConnection")
    try parameters.refuse("mechanism", "trust-unannounced", "autoconnect", "persist", "contacts")
    if let name: String = try parameters.take("protocol"), name != "xmpp" {
      throw DBusError(.notSupported, "\"protocol\" is \"\(name)\", but only \"xmpp\" is built.")
    }
    let visibility = try parameters.take("visibility", String.self) ?? "visible"
    if visibility == "except" || visibility == "only" { throw notBuilt("\"visibility\" \"\(visibility)\"") }
    let mode: Mode = try oneOf([.visible, .invisible], visibility, "\"visibility\"")
    var client = ClientConfiguration(account: account, password: "")
    client.server = try parameters.take("server")
    client.port = try parameters.take("port")
    client.tls = try parameters.take("tls", String.self).map { text throws(DBusError) in
      try oneOf([.starttls, .direct, .off], text, "\"tls\"")
    }
    client.caFile = try parameters.take("ca-file")
    client.resource = try parameters.take("resource")
    if let resource = client.resource {
      do { _ = try account.with(resource: resource) } catch {
        throw DBusError(.invalidArgs, "\"resource\" cannot be one: \(error).")
      }
    }
    let priority: Int32 = try parameters.take("priority") ?? -1
    guard let priority = Int8(exactly: priority) else {
      throw DBusError(.invalidArgs, "\"priority\" is \(priority), but must be from -128 to 127 (type i).")
    }
    let text: String? = try parameters.take("password")
    let descriptor: UnixFD? = try parameters.take("password-fd")
    try parameters.end(known: known)
    client.password = try await password(text, descriptor)
    return AccountConfiguration(client: client, mode: mode, priority: priority)
  }

  private static func password(_ text: String?, _ descriptor: UnixFD?) async throws -> String {
    switch (text, descriptor) {
    case (let text?, nil): return text
    case (nil, let descriptor?): return try await SecretPipe.read(descriptor)
    case (nil, nil): throw DBusError(.invalidArgs, "A password is missing: give \"password\" or \"password-fd\".")
    case (_?, _?): throw DBusError(.invalidArgs, "Give either \"password\" or \"password-fd\", not both.")
    }
  }
}
