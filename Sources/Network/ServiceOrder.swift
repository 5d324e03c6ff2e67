// SPDX-License-Identifier: Apache-2.0

/// In which order the records of a service are tried (RFC 2782): by priority, and among equal priorities by a chance
/// that is proportional to the weight.
enum ServiceOrder {
  /// Puts records in order.
  /// - Parameters:
  ///   - records: in any order.
  ///   - record: what of each is the record.
  ///   - generator: where chance comes from.
  static func ordered<Element>(
    _ records: [Element], by record: (Element) -> ServiceRecord, using generator: inout some RandomNumberGenerator
  ) -> [Element] {
    var ordered: [Element] = []
    let byPriority = Dictionary(grouping: records) { record($0).priority }
    for (_, equals) in byPriority.sorted(by: { $0.key < $1.key }) {
      // Those without weight come first, so that the number 0, and only it, picks one of them while others have some.
      var left = equals.filter { record($0).weight == 0 } + equals.filter { record($0).weight > 0 }
      while !left.isEmpty {
        let sum = left.reduce(0) { $0 + Int(record($1).weight) }
        var number = Int.random(in: 0...sum, using: &generator)
        let index = left.firstIndex { element in
          number -= Int(record(element).weight)
          return number <= 0
        }
        ordered.append(left.remove(at: index ?? 0))
      }
    }
    return ordered
  }
}
