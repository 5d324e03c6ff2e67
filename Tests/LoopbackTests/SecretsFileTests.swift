// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Support
import Testing
import XMPP

@testable import nightcloak_loopback

@Suite("Files of names and secrets")
struct SecretsFileTests {
  @Test("A line is a name, a colon, and a secret that may be anything")
  func lines() throws {
    let text = "juliet:secret\n\n# a comment: not an account\ntybalt@localhost: a:b \nromeo:ü"
    #expect(
      try SecretsFile(text, name: "users").secrets
        == ["juliet": "secret", "tybalt@localhost": " a:b ", "romeo": "ü"])
    #expect(try SecretsFile("juliet:old\njuliet:new\n", name: "users").secrets == ["juliet": "new"])
    #expect(try SecretsFile("", name: "users").secrets.isEmpty)
    #expect(
      try SecretsFile("juliet:secret\r\n\r\nromeo:hush\r\n", name: "users").secrets
        == ["juliet": "secret", "romeo": "hush"], "a file that was written elsewhere")
  }

  @Test(
    "A line that is none is named by its number, and not shown: it may be a password",
    arguments: ["hush", ":hush", "hush:"])
  func wrong(line: String) {
    #expect(throws: Complaint("line 2 of users is not NAME:SECRET")) {
      try SecretsFile("a:b\n\(line)\n", name: "users")
    }
  }

  @Test("A file that nobody can read, or is too large, or is no text is refused")
  func files() throws {
    let directory = try TemporaryDirectory()
    #expect(throws: Complaint.self) { try SecretsFile(path: directory.file("none")) }
    let line = "juliet:" + String(repeating: "x", count: 1000) + "\n"
    try writeFile(directory.file("large"), String(repeating: line, count: SecretsFile.mostBytes / line.utf8.count))
    #expect(try SecretsFile(path: directory.file("large")).secrets.count == 1)
    try writeFile(directory.file("large"), String(repeating: line, count: SecretsFile.mostBytes / line.utf8.count + 1))
    #expect(throws: Complaint.self) { try SecretsFile(path: directory.file("large")) }
  }

  @Test("Whoever is added to the file of users is found there later")
  func newcomer() throws {
    let directory = try TemporaryDirectory()
    try writeFile(directory.file("users"), "juliet:secret\n")
    var accounts = try AccountsFile(directory.file("users"), domain: "localhost")
    #expect(accounts.users.map(\.jid.description) == ["juliet@localhost"])
    #expect(accounts.newcomer("romeo") == nil)
    try writeFile(directory.file("users"), "juliet:secret\nromeo:hush\nnurse:tattle\n")
    #expect(accounts.newcomer("romeo")?.password == "hush")
    #expect(accounts.newcomer("nurse")?.password == "tattle", "read with the other, and asked for later")
    try writeFile(directory.file("users"), "mercutio@elsewhere.example:hush\n")
    #expect(accounts.newcomer("mercutio") == nil)
    #expect(throws: Complaint.self) { try AccountsFile(directory.file("users"), domain: "localhost") }
  }
}
