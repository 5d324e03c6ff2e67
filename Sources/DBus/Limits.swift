// SPDX-License-Identifier: Apache-2.0

/// What this room allows at most; everything that somebody else on the bus can make grow is in this list.
public enum Limits {
  /// Bytes of one message that we send or take apart. The bus cuts off whoever sends 32 MiB.
  public static let messageBytes = 8 << 20
  /// Containers within one another, as in the D-Bus specification.
  public static let depth = 64
  /// Messages that are handled before the loop's other descriptors get their turn.
  public static let messagesPerTurn = 32
  /// Bytes that wait to be sent; above, no message is taken in until the bus has read some.
  public static let outgoingPauseBytes = 16 << 20
  /// Bytes that wait to be sent; above, the connection is given up.
  public static let outgoingBytes = 64 << 20
  /// Calls of one caller that wait for who it is to be known.
  public static let callsAwaitingCredentials = 64
  /// Callers that wait for who they are to be known.
  public static let callersAwaitingCredentials = 256
  /// Calls of one caller that are being worked on.
  public static let callsInProgress = 128
}
