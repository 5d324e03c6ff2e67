// SPDX-License-Identifier: Apache-2.0

/// Which clients on the bus want to hear of what. A signal that concerns a connection goes to these and to nobody
/// else, and only to clients of the owner's uid.
struct Interests {
  /// How many clients of one uid may be interested at once.
  static let mostClientsPerUID = 64
  /// Stands for every interface.
  static let everything = "*"

  private struct Client {
    let uid: UInt32
    var interfaces: Set<String> = []
    /// Objects that the client has read whole, and now keeps a copy of.
    var paths: Set<String> = []
  }

  private var clients: [String: Client] = [:]
  private var clientsPerUID: [UInt32: Int] = [:]

  /// Whether one more client of `uid` may become interested, or `name` already is.
  func hasRoom(for name: String, uid: UInt32) -> Bool {
    clients[name] != nil || (clientsPerUID[uid] ?? 0) < Self.mostClientsPerUID
  }

  mutating func add(_ interfaces: [String], for name: String, uid: UInt32) {
    change(name, uid) { $0.interfaces.formUnion(interfaces) }
  }

  /// The client has read the object at `path`, or the subtree below it, and wants to be kept up to date.
  mutating func add(path: String, for name: String, uid: UInt32) {
    change(name, uid) { $0.paths.insert(path) }
  }

  mutating func remove(_ interfaces: [String], for name: String) {
    guard var client = clients[name] else { return }
    client.interfaces.subtract(interfaces)
    if client.interfaces.isEmpty, client.paths.isEmpty { removeClient(name) } else { clients[name] = client }
  }

  /// The object at `path` is gone; nobody can have a copy of it any more.
  mutating func remove(path: String) {
    for (name, client) in clients where client.paths.contains(path) {
      clients[name]?.paths.remove(path)
      if client.interfaces.isEmpty, client.paths.count == 1 { removeClient(name) }
    }
  }

  /// The client left the bus.
  mutating func removeClient(_ name: String) {
    guard let client = clients.removeValue(forKey: name) else { return }
    clientsPerUID[client.uid, default: 1] -= 1
    if clientsPerUID[client.uid] == 0 { clientsPerUID[client.uid] = nil }
  }

  /// The clients that are told of a signal of `interface` from the object at `path`.
  /// - Parameters:
  ///   - interface: the one that the signal is about; `nil` when it is about objects that come and go, which any
  ///     interest covers.
  ///   - subtree: the owner's.
  func recipients(_ interface: String?, path: String, subtree: String, owner: UInt32) -> [String] {
    clients.filter { _, client in
      guard client.uid == owner else { return false }
      guard let interface else { return true }
      return client.interfaces.contains(interface) || client.interfaces.contains(Self.everything)
        || client.paths.contains(path) || client.paths.contains(subtree)
    }.map(\.key).sorted()
  }

  private mutating func change(_ name: String, _ uid: UInt32, _ body: (inout Client) -> Void) {
    if clients[name] == nil { clientsPerUID[uid, default: 0] += 1 }
    body(&clients[name, default: Client(uid: uid)])
  }
}
