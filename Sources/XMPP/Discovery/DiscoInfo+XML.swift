// SPDX-License-Identifier: Apache-2.0

public import XML

extension DiscoInfo {
  private static let forms = "jabber:x:data"

  /// Reads an answer.
  /// - Parameter query: the `<query/>` inside the IQ.
  /// - Throws: ``MalformedStanza`` when it is something else, or something in it lacks what it must have.
  public init(_ query: Element) throws(MalformedStanza) {
    guard query.matches("query", Self.namespace) else {
      throw MalformedStanza(.badRequest, "it is no <query/> of \(Self.namespace)")
    }
    self.init(node: query.attribute("node"), identities: [], features: [])
    for child in query.children {
      switch (child.name, child.namespace) {
      case ("identity", Self.namespace): identities.append(try Identity(child))
      case ("feature", Self.namespace):
        guard let name = child.attribute("var") else {
          throw MalformedStanza(.badRequest, "a feature has no \"var\"")
        }
        features.append(name)
      case ("x", Self.forms) where child.attribute("type") == "result": forms.append(Form(child))
      default: break
      }
    }
  }

  /// The `<query/>` that answers a question.
  /// - Parameter node: the node that was asked for, which the answer repeats; ``node`` where there is none.
  public func element(node: String? = nil) -> Element {
    let identities = identities.map { identity in
      Element(
        "identity", Self.namespace,
        [
          "category": identity.category, "type": identity.type, "name": identity.name, "xml:lang": identity.language,
        ])
    }
    let features = features.map { Element("feature", Self.namespace, ["var": $0]) }
    return Element(
      "query", Self.namespace, ["node": node ?? self.node],
      children: identities + features + forms.map { $0.element(namespace: Self.forms) })
  }
}

extension DiscoInfo.Identity {
  fileprivate init(_ element: Element) throws(MalformedStanza) {
    guard let category = element.attribute("category"), let type = element.attribute("type") else {
      throw MalformedStanza(.badRequest, "an identity has no \"category\" or no \"type\"")
    }
    // Its own language alone: that of the stream around it would change the hash.
    let language = element.attribute("lang", "http://www.w3.org/XML/1998/namespace")
    self.init(category: category, type: type, language: language, name: element.attribute("name"))
  }
}

extension DiscoInfo.Form {
  fileprivate init(_ element: Element) {
    self.init(
      element.children.filter { $0.matches("field", element.namespace) }.map { field in
        Field(
          field.attribute("var") ?? "", type: field.attribute("type"),
          values: field.children.filter { $0.matches("value", element.namespace) }.map(\.text))
      })
  }

  fileprivate func element(namespace: String) -> Element {
    Element(
      "x", namespace, ["type": "result"],
      children: fields.map { field in
        Element(
          "field", namespace, ["var": field.name, "type": field.type],
          children: field.values.map { Element("value", namespace, text: $0) })
      })
  }
}
