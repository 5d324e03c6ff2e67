// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// The incoming half of "Who gets what", written out from the contract and not from the code.
private let expected: [(Arrival, inside: ArrivalVerdict, outside: ArrivalVerdict)] = [
  // presence, probe: used; probes ignored | only for a session or an outstanding request, nothing goes back
  (.available, .use, .learn),
  (.departure, .use, .learn),
  (.probe, .drop, .drop),
  // decloak: policy | policy.  subscribe: listed | listed.  What else changes a subscription comes as a roster push.
  (.decloak, .ask, .ask),
  (.subscribe, .list, .list),
  (.subscriptionChange, .drop, .drop),
  // IQ get, set: answered | as for a resource that is not there
  (.iqRequest, .use, .imitate),
  // IQ result, error: only for our outstanding id and its addressee
  (.iqResponse, .match, .match),
  // message chat, normal, headline: to the handler, nothing automatic goes back
  (.message, .deliver, .deliver),
  // message groupchat and what else an absent resource bounces: to the handler | the bounce
  (.bouncedMessage, .deliver, .imitate),
  // <propose/>: to the handler | policy, held until the yes
  (.propose, .deliver, .ask),
  (.other, .drop, .drop),
]

@Suite("What arrives")
struct ArrivalTableTests {
  @Test("The expectations name every arrival once")
  func complete() {
    #expect(Set(expected.map(\.0)) == Set(Arrival.allCases))
    #expect(expected.count == Arrival.allCases.count)
    #expect(Set(Source.allCases) == [.inside, .outside])
  }

  @Test("Each arrival from each source gets what the contract says", arguments: expected.indices)
  func verdicts(_ row: Int) {
    let (arrival, inside, outside) = expected[row]
    #expect(ArrivalTable.verdict(arrival, .inside) == inside)
    #expect(ArrivalTable.verdict(arrival, .outside) == outside)
  }

  @Test("Nothing from outside is used, and no IQ from outside is dropped", arguments: Arrival.allCases)
  func outside(_ arrival: Arrival) {
    #expect(ArrivalTable.verdict(arrival, .outside) != .use)
    #expect(ArrivalTable.verdict(.iqRequest, .outside) == .imitate)
  }

  @Test("A cell that nobody filled drops", arguments: Source.allCases)
  func unfilled(_ source: Source) {
    #expect(ArrivalTable.cells[ArrivalTable.Cell(.other, source)] == nil)
    #expect(ArrivalTable.verdict(.other, source) == .drop)
  }
}
