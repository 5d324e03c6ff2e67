// SPDX-License-Identifier: Apache-2.0

/// Who was wanted to see an account, as it is kept.
public struct StoredVisibility: Hashable, Sendable {
  /// How many contacts are kept for one account, exceptions and those that are kept out of their groups' together.
  public static let mostContacts = 10_000
  /// How many groups.
  public static let mostGroups = 1_000
  /// How long a group's name may be, in bytes of UTF-8.
  public static let mostGroupBytes = 1_024

  /// What holds beside the exceptions.
  public struct Base: Hashable, Sendable {
    /// Whether those see the account who are no exceptions.
    public var showsOthers: Bool
    /// Whether contacts are to be seen that do not see us.
    public var probes: Bool
    /// Whether a mechanism will do that cannot keep all of it.
    public var acceptsLess: Bool

    /// Describes it.
    public init(showsOthers: Bool, probes: Bool, acceptsLess: Bool) {
      self.showsOthers = showsOthers
      self.probes = probes
      self.acceptsLess = acceptsLess
    }
  }

  /// One for whom it is the other way round.
  public enum Exception: Hashable, Sendable {
    /// A contact, by its bare JID.
    case contact(String)
    /// The members of a group of the roster.
    case group(String)
    /// A contact that is none although a group of it is.
    case withheld(String)
  }

  /// What holds beside the exceptions.
  public var base: Base
  /// For whom it is the other way round.
  public var exceptions: Set<Exception>

  /// Describes what is kept.
  public init(_ base: Base, exceptions: Set<Exception> = []) {
    self.base = base
    self.exceptions = exceptions
  }
}
