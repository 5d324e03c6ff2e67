// SPDX-License-Identifier: Apache-2.0

/// Which contacts of the roster may know that we are online (XEP-0018 §2; the API's `Visibility.Mode`).
public enum Mode: String, CaseIterable, Hashable, Sendable {
  /// All who are subscribed to our presence.
  case visible
  /// None of them.
  case invisible
  /// All but some.
  case except
  /// Some alone.
  case only
}
