// SPDX-License-Identifier: Apache-2.0

internal import BenchBaseline

/// The service in plain C that ours is measured against. This program is started once more to be it.
enum PlainService {
  static let busName = "org.nightcloak.Bench.Plain"
  static let path = "/org/nightcloak/Presence1"
  static let interface = "org.nightcloak.Presence1.Manager"
  static let property = "Version"
  private static let word = "--serve-baseline"

  static func command(_ program: String, _ address: String) -> [String] { [program, word, address] }

  /// The bus to serve on, if that is what `arguments` ask for.
  static func address(_ arguments: [String]) -> String? {
    arguments.count == 2 && arguments.first == word ? arguments.last : nil
  }

  static func serve(on address: String) -> Int32 {
    // The length of the answer is that of the daemon's own version.
    baseline_serve_property(address, busName, path, interface, property, "0.1.0")
  }
}
