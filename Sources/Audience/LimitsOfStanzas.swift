// SPDX-License-Identifier: Apache-2.0

extension Limits {
  /// Calls that one contact has proposed and nobody has decided about.
  public static let proposalsPerContact = 4
  /// Bytes of these. Only who has a request that waits can have any, so there is no more than that for each of them.
  public static let proposalBytesPerContact = 16 << 10
  /// Calls that are known to go on with one account.
  public static let callsPerContact = 16
  /// Accounts with whom calls are known to go on.
  public static let callers = 256
}
