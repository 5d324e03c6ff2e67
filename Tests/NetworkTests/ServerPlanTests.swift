// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Network

@Suite("Where a server may be")
struct ServerPlanTests {
  @Test(
    "Each way to say which server asks for the records that decide, and for no others",
    arguments: [
      (WantedServer(domain: "example.org"), [Service.startTLS, .directTLS]),
      (WantedServer(domain: "example.org", protection: .startTLS), [.startTLS]),
      (WantedServer(domain: "example.org", protection: .directTLS), [.directTLS]),
      (WantedServer(domain: "example.org", protection: .none), []),
      (WantedServer(domain: "example.org", server: "xmpp.example.org"), []),
      (WantedServer(domain: "example.org", port: 5222), []),
      (WantedServer(domain: "localhost"), []), (WantedServer(domain: "LocalHost"), []),
      (WantedServer(domain: "a.localhost"), []), (WantedServer(domain: "127.0.0.1"), []),
      (WantedServer(domain: "::1"), []), (WantedServer(domain: "mylocalhost"), [.startTLS, .directTLS]),
    ])
  func questions(wanted: WantedServer, services: [Service]) {
    #expect(ServerPlan.questions(wanted) == services)
  }

  @Test("The names that are asked about")
  func names() {
    #expect(Service.startTLS.name(of: "example.org") == "_xmpp-client._tcp.example.org")
    #expect(Service.directTLS.name(of: "example.org") == "_xmpps-client._tcp.example.org")
  }

  private func records(_ records: (String, UInt16, UInt16)...) throws -> ServerPlan.Answer {
    .success(
      try records.map { host, port, priority in
        try #require(ServiceRecord(host: host, port: port, priority: priority, weight: 0))
      })
  }

  private func targets(
    _ wanted: WantedServer, _ answers: [Service: ServerPlan.Answer] = [:]
  ) throws(ServerError) -> [String] {
    var chance = RepeatableChance(3)
    return try ServerPlan.targets(wanted, answers, using: &chance).map {
      "\($0.host) \($0.port)\($0.isDirect ? " direct" : "")"
    }
  }

  @Test("Both sets of records are one, and each record keeps its kind of TLS (XEP-0368)")
  func mixed() throws {
    let answers: [Service: ServerPlan.Answer] = [
      .startTLS: try records(("b.example.org", 5222, 2), ("d.example.org", 5222, 4)),
      .directTLS: try records(("c.example.org", 443, 3), ("a.example.org", 5223, 1)),
    ]
    #expect(
      try targets(WantedServer(domain: "example.org"), answers) == [
        "a.example.org 5223 direct", "b.example.org 5222", "c.example.org 443 direct", "d.example.org 5222",
      ])
  }

  @Test("Without records it is the domain itself, unless somebody said where")
  func fallback() throws {
    for failure in [LookupError.noSuchName, .noRecords, .serverFailed, .timedOut, .unreachable, .malformed] {
      let answers: [Service: ServerPlan.Answer] = [.startTLS: .failure(failure), .directTLS: .failure(failure)]
      #expect(try targets(WantedServer(domain: "example.org"), answers) == ["example.org 5222"])
      #expect(
        try targets(WantedServer(domain: "example.org", protection: .directTLS), answers) == ["example.org 5223 direct"]
      )
    }
    #expect(try targets(WantedServer(domain: "::1", protection: .none)) == ["::1 5222"])
    #expect(try targets(WantedServer(domain: "example.org", server: "a.example.org")) == ["a.example.org 5222"])
    #expect(
      try targets(WantedServer(domain: "example.org", server: "192.0.2.1", port: 99, protection: .directTLS)) == [
        "192.0.2.1 99 direct"
      ])
  }

  @Test("One set is enough, even if the other could not be asked for")
  func one() throws {
    let direct = try records(("a.example.org", 443, 1))
    for other in [LookupError.noSuchName, .timedOut, .malformed] {
      #expect(
        try targets(WantedServer(domain: "example.org"), [.startTLS: .failure(other), .directTLS: direct]) == [
          "a.example.org 443 direct"
        ])
    }
  }

  @Test("A domain that says that it has no such service is not tried behind its back (RFC 2782, XEP-0368 §3)")
  func notOffered() throws {
    let none = try records((".", 0, 0))
    let some = try records(("a.example.org", 5222, 1))
    let wanted = WantedServer(domain: "example.org")
    for answers: [Service: ServerPlan.Answer] in [
      [.startTLS: none, .directTLS: none], [.startTLS: none, .directTLS: .failure(.noSuchName)],
      [.startTLS: .failure(.noSuchName), .directTLS: none],
    ] {
      let error = #expect(throws: ServerError.self) { try targets(wanted, answers) }
      #expect(error?.description.contains("example.org says in DNS that it has no XMPP server") == true)
    }
    // The other service may be there.
    #expect(try targets(wanted, [.startTLS: some, .directTLS: none]) == ["a.example.org 5222"])
    #expect(try targets(wanted, [.startTLS: none, .directTLS: some]) == ["a.example.org 5222 direct"])
  }

  @Test("Where a server wants to be reached comes before all else, and once")
  func preferred() throws {
    var wanted = WantedServer(domain: "example.org", preferred: HostAndPort("[2001:db8::1]:9222"))
    #expect(try targets(wanted) == ["2001:db8::1 9222", "example.org 5222"])
    wanted.preferred = HostAndPort("example.org")
    #expect(try targets(wanted) == ["example.org 5222"])
  }

  @Test("However many records a domain has, only so many hosts are tried, and the first of them")
  func limits() throws {
    let many = try (0..<5000).map { number in
      try #require(ServiceRecord(host: "h\(number)", port: 5222, priority: UInt16(number), weight: 0))
    }
    let found = try targets(WantedServer(domain: "example.org"), [.startTLS: .success(many)])
    #expect(found == (0..<ServerPlan.mostTargets).map { "h\($0) 5222" })
  }

  @Test("A record with port 0 leads nowhere")
  func portless() throws {
    let answers: [Service: ServerPlan.Answer] = [.startTLS: try records(("a", 0, 1), ("b", 1, 2))]
    #expect(try targets(WantedServer(domain: "example.org"), answers) == ["b 1"])
  }
}
