// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

/// The subscriptions of one connection, and who owns the well-known names that they are about.
///
/// Match rules only choose among broadcasts. Anybody on the bus can send us a signal directly, and say in it what
/// they like but for their unique name: so the sender is compared with the owner of the name that is listened to.
@LoopActor
final class SignalMatches {
  private unowned let connection: BusConnection
  private var matches: [SignalMatch] = []
  private var owners: [String: String] = [:]

  init(_ connection: BusConnection) { self.connection = connection }

  func add(
    _ filter: SignalFilter, _ handler: @escaping @LoopActor (SignalMessage) -> Void
  ) async throws(DBusError) -> SignalMatch {
    let match = SignalMatch(connection, filter, try filter.rule(), handler)
    if let name = filter.sender { try await follow(name) }
    matches.append(match)
    do {
      _ = try await connection.callBus("AddMatch", [.string(match.rule)])
    } catch {
      matches.removeAll { $0 === match }
      throw error
    }
    return match
  }

  func remove(_ match: SignalMatch) {
    guard let index = matches.firstIndex(where: { $0 === match }) else { return }
    matches.remove(at: index)
    connection.callBus("RemoveMatch", [.string(match.rule)]) { _ in }
  }

  /// Makes `owners` true for a well-known name, and keeps it so.
  private func follow(_ name: String) async throws(DBusError) {
    guard !name.hasPrefix(":"), name != BusConnection.busName else { return }
    if owners[name] == nil {
      owners[name] = ""
      let filter = SignalFilter(
        sender: BusConnection.busName, path: BusConnection.busPath, interface: BusConnection.busName,
        member: "NameOwnerChanged", firstArgument: name)
      _ = try await connection.callBus("AddMatch", [.string(try filter.rule())])
    }
    // Also for a name that another match follows already: that one may still be waiting for the answer.
    await withCheckedContinuation { continuation in
      connection.callBus("GetNameOwner", [.string(name)]) { [self] result in
        // A name without an owner is an error here; whoever takes it later is told by the bus.
        if let owner = try? result.get().read(String.self) { owners[name] = owner }
        continuation.resume()
      }
    }
  }

  func received(_ signal: SignalMessage) {
    if signal.sender == BusConnection.busName, signal.member == "NameOwnerChanged" { ownerChanged(signal) }
    for match in matches where match.filter.covers(signal) {
      if let name = match.filter.sender, name != signal.sender, owners[name] != signal.sender { continue }
      match.handler(signal)
    }
  }

  private func ownerChanged(_ signal: SignalMessage) {
    var reader = signal.reader()
    guard let name = try? reader.read(String.self), (try? reader.read(String.self)) != nil,
      let owner = try? reader.read(String.self)
    else { return }
    if owners[name] != nil { owners[name] = owner }
    if owner.isEmpty { connection.senders.left(name) }
  }

  func removeAll() { matches = [] }
}

extension BusConnection {
  /// Calls `handler` for each signal that `filter` covers, from when this returns until the match is cancelled.
  ///
  /// Throws `InvalidArgs` when a name in the filter is not valid, and what the bus says against it.
  public func match(
    _ filter: SignalFilter, _ handler: @escaping @LoopActor (SignalMessage) -> Void
  ) async throws(DBusError) -> SignalMatch {
    try await matches.add(filter, handler)
  }
}
