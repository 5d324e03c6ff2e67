// SPDX-License-Identifier: Apache-2.0

internal import CDBus
public import EventLoop

/// A signal that came in.
@LoopActor
public final class SignalMessage {
  /// The object that it is from.
  public let path: ObjectPath
  /// Its interface.
  public let interface: String
  /// Its name.
  public let member: String
  /// The unique name of the connection that sent it, or the name of the bus.
  public let sender: String

  private let message: Message

  init(_ message: Message) {
    self.message = message
    path = ObjectPath(checked: Message.text(dbus_message_get_path(message.pointer)))
    interface = Message.text(dbus_message_get_interface(message.pointer))
    member = Message.text(dbus_message_get_member(message.pointer))
    sender = Message.text(dbus_message_get_sender(message.pointer))
  }

  /// Whether it was sent to us alone and not to everybody.
  public var isUnicast: Bool { dbus_message_get_destination(message.pointer) != nil }

  /// The types of the arguments.
  public var signature: Signature { Signature(checked: message.signature) }

  /// Reads the arguments from the first on.
  public func reader() -> Reader { Reader(message.pointer) }

  /// The arguments.
  public func values() throws(DBusError) -> [Value] {
    var reader = reader()
    return try reader.values()
  }
}

/// Names the signals that are wanted; what is nil does not matter.
public struct SignalFilter: Hashable, Sendable {
  /// The sender, by unique or well-known name. Signals of others are not believed, also when sent to us alone.
  public var sender: String?
  /// The object.
  public var path: ObjectPath?
  /// The interface.
  public var interface: String?
  /// The signal's name.
  public var member: String?
  /// The first argument, if it is a string.
  public var firstArgument: String?

  /// A filter.
  public init(
    sender: String? = nil, path: ObjectPath? = nil, interface: String? = nil, member: String? = nil,
    firstArgument: String? = nil
  ) {
    self.sender = sender
    self.path = path
    self.interface = interface
    self.member = member
    self.firstArgument = firstArgument
  }

  /// The filter as a match rule of the bus; throws `InvalidArgs` when a name in it is not valid.
  func rule() throws(DBusError) -> String {
    var rule = "type='signal'"
    if let sender {
      try Validation.busName(sender)
      rule += ",sender='\(sender)'"
    }
    if let path { rule += ",path='\(path)'" }
    if let interface {
      try Validation.interface(interface)
      rule += ",interface='\(interface)'"
    }
    if let member {
      try Validation.member(member)
      rule += ",member='\(member)'"
    }
    if let firstArgument {
      guard !firstArgument.contains(where: { $0 == "'" || $0 == "\\" || $0 == "\0" }) else {
        throw DBusError(.invalidArgs, "\(quoted(firstArgument)) cannot be matched")
      }
      rule += ",arg0='\(firstArgument)'"
    }
    return rule
  }

  /// Whether `signal` is meant, but for its sender.
  @LoopActor
  func covers(_ signal: SignalMessage) -> Bool {
    if let path, path != signal.path { return false }
    if let interface, interface != signal.interface { return false }
    if let member, member != signal.member { return false }
    guard let firstArgument else { return true }
    var reader = signal.reader()
    return (try? reader.read(String.self)) == firstArgument
  }
}

/// A subscription to signals; ends with ``cancel()``.
@LoopActor
public final class SignalMatch {
  let filter: SignalFilter
  let rule: String
  let handler: @LoopActor (SignalMessage) -> Void
  private weak var connection: BusConnection?

  init(
    _ connection: BusConnection, _ filter: SignalFilter, _ rule: String,
    _ handler: @escaping @LoopActor (SignalMessage) -> Void
  ) {
    self.connection = connection
    self.filter = filter
    self.rule = rule
    self.handler = handler
  }

  /// Ends the subscription; the handler is not called any more.
  public func cancel() { connection?.matches.remove(self) }
}
