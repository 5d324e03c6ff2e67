// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// What a signal that is about to be sent is about.
public struct SignalContext: Hashable, Sendable {
  /// The object that emits it.
  public let path: ObjectPath
  /// The signal's interface.
  public let interface: String
  /// The signal's name.
  public let member: String
  /// The object that it tells of: for InterfacesAdded and InterfacesRemoved the one that comes or goes.
  public let object: ObjectPath
  /// The interface that it tells of: for PropertiesChanged the one whose properties changed; nil where it is about
  /// an object as a whole.
  public let concerns: String?
}

/// Who is sent a signal.
public enum SignalRecipients: Hashable, Sendable {
  /// Everybody on the bus who has a match rule for it.
  case everyone
  /// These unique names, each by a message of its own.
  case only([String])
}

/// The one place that decides who is told what; every signal passes it, also those of the standard interfaces, but for
/// those that are addressed to somebody by name.
@LoopActor
public protocol SignalPolicy: AnyObject {
  /// Who is sent the signal.
  func recipients(of signal: SignalContext) -> SignalRecipients
  /// `caller` has read all properties of the object at `path`, or with `subtree` of all objects below: a caching
  /// proxy does so, and then relies on being told of changes.
  func wasRead(_ path: ObjectPath, subtree: Bool, by caller: Caller)
}

/// Every signal goes to everybody, as is usual on a session bus.
@LoopActor
public final class BroadcastPolicy: SignalPolicy {
  /// The policy.
  public init() {}
  /// Everybody.
  public func recipients(of signal: SignalContext) -> SignalRecipients { .everyone }
  /// Nothing to remember.
  public func wasRead(_ path: ObjectPath, subtree: Bool, by caller: Caller) {}
}
