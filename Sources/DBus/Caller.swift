// SPDX-License-Identifier: Apache-2.0

/// Whoever sent a message, as the bus knows it.
public struct Caller: Hashable, Sendable {
  /// The unique name of its connection, as `:1.42`. The bus never gives it to another.
  public let name: String
  /// The user that it runs as.
  public let uid: UInt32
  /// The process, for log lines; it may have been reused by now.
  public let pid: UInt32?

  /// A caller.
  public init(name: String, uid: UInt32, pid: UInt32? = nil) {
    self.name = name
    self.uid = uid
    self.pid = pid
  }
}
