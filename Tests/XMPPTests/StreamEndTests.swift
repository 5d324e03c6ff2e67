// SPDX-License-Identifier: Apache-2.0

import Testing
import XMPP

@Suite("The end of a stream")
struct StreamEndTests {
  @Test("Where the network or the time is the reason, or nothing is known, retrying may help")
  func passing() {
    for code in [StreamEnd.Code.network, .timedOut, .closedByPeer, .protocol] {
      #expect(!StreamEnd(code, "").isFinal, "\(code)")
    }
  }

  @Test("Where somebody must change something first, or wanted the end, retrying does not help")
  func lasting() {
    for code in [StreamEnd.Code.authentication, .certificate, .cancelled] {
      #expect(StreamEnd(code, "").isFinal, "\(code)")
    }
  }

  @Test("A stream's error is final where a new stream would end the same way", arguments: StreamCondition.allCases)
  func streamErrors(condition: StreamCondition) {
    let final: Set<StreamCondition> = [
      .conflict, .hostGone, .hostUnknown, .notAuthorized, .policyViolation, .seeOtherHost, .unsupportedFeature,
      .unsupportedVersion,
    ]
    #expect(StreamEnd(.streamError(condition), "").isFinal == final.contains(condition))
  }

  @Test("What a server refuses when we log in is final where it would do so again")
  func refusals() {
    for condition in [StanzaError.Condition.notAllowed, .forbidden, .notAuthorized, .badRequest, .policyViolation] {
      #expect(StreamEnd(.refused(condition), "").isFinal, "\(condition)")
    }
    // A connection of ours that broke may hold the resource for a while.
    for condition in [StanzaError.Condition.conflict, .resourceConstraint, .internalServerError, .serviceUnavailable] {
      #expect(!StreamEnd(.refused(condition), "").isFinal, "\(condition)")
    }
  }

  @Test("Who makes an end may know better than its kind")
  func explicit() {
    #expect(StreamEnd(.protocol, "", isFinal: true).isFinal)
    #expect(!StreamEnd(.authentication, "", isFinal: false).isFinal)
  }
}
