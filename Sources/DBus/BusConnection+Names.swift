// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

extension BusConnection {
  /// Becomes the owner of the well-known `name`, and stays it until ``releaseName(_:)`` or the end. Does not queue.
  ///
  /// Throws `AddressInUse` naming the owner when the name is taken, and `AccessDenied` when the bus's policy does not
  /// let us have it.
  public func requestName(_ name: String) async throws(DBusError) {
    try Validation.busName(name)
    let doNotQueue: UInt32 = 4
    let outcome = try await callBus("RequestName", [.string(name), .uint32(doNotQueue)]).read(UInt32.self)
    // 1: owner now; 4: owner already.
    guard outcome != 1, outcome != 4 else { return }
    let owner = try? await callBus("GetNameOwner", [.string(name)]).read(String.self)
    throw DBusError(
      .addressInUse,
      "The name \(name) is taken by \(owner ?? "another connection"): is another instance running on this bus?")
  }

  /// Gives the well-known `name` up.
  public func releaseName(_ name: String) async throws(DBusError) {
    try Validation.busName(name)
    _ = try await callBus("ReleaseName", [.string(name)])
  }

  /// Who is behind the unique name `sender`, from the bus's credentials; kept until the sender leaves the bus.
  ///
  /// Throws `NameHasNoOwner` when it has left.
  public func caller(_ sender: String) async throws(DBusError) -> Caller {
    let result = await withCheckedContinuation { continuation in
      senders.identify(sender) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// Whether a caller is still on the bus. Whatever is kept for as long as it is must not begin later.
  public func isPresent(_ caller: Caller) -> Bool { senders.cached(caller.name) != nil }

  /// Calls `handler` with the unique name of each connection that leaves the bus.
  public func whenSenderLeaves(_ handler: @escaping @LoopActor (String) -> Void) { senders.onDeparture(handler) }
}
