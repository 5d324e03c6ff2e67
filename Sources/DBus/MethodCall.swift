// SPDX-License-Identifier: Apache-2.0

internal import CDBus
public import EventLoop

/// A call that came in and is answered once, now or later.
@LoopActor
public final class MethodCall {
  /// Whoever calls.
  public let caller: Caller
  /// The object that is called.
  public let path: ObjectPath

  private let message: Message
  private let server: ObjectServer
  private var isAnswered = false

  init(_ message: OpaquePointer, _ caller: Caller, _ path: ObjectPath, _ server: ObjectServer) {
    self.message = Message(keeping: message)
    self.caller = caller
    self.path = path
    self.server = server
  }

  /// The arguments, from the first on.
  public func reader() -> Reader { Reader(message.pointer) }

  /// Answers with what `body` writes.
  public func reply(_ body: (inout Writer) throws(DBusError) -> Void) {
    guard !isAnswered else { return }
    isAnswered = true
    server.connection.reply(message.pointer, body)
  }

  /// Answers with an error.
  public func fail(_ error: DBusError) {
    guard !isAnswered else { return }
    isAnswered = true
    server.connection.fail(message.pointer, error)
  }

  /// Does `work` in a task and answers with what `write` makes of its result, or with the error that it threw.
  ///
  /// The work goes on when the caller leaves the bus: a call that was taken is carried out.
  public func answer<Result: Sendable>(
    _ work: @escaping @LoopActor @Sendable () async throws -> Result,
    _ write: @escaping @LoopActor @Sendable (Result, inout Writer) throws(DBusError) -> Void
  ) throws(DBusError) {
    try server.begin(self)
    spawn { [self] in
      do {
        let result = try await work()
        reply { (writer: inout Writer) throws(DBusError) in try write(result, &writer) }
      } catch {
        fail(DBusError(serving: error))
      }
      server.finished(self)
    }
  }
}
