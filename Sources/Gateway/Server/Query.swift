package import Hummingbird
import RPC

/// The parameters of a request, by name, each at most once.
///
///     let query = try Query(request, knowing: ["pipeline", "min_confidence"])
///     let confidence = try query.number("min_confidence", in: 0...1)
///
/// One that is not known is an error that names the nearest one there is: a misspelt one would be no limit at all.
package struct Query: Sendable {
    private let values: [String: String]

    /// - Throws: `Problem`, 400, with the field.
    package init(_ request: Request, knowing names: [String]) throws {
        var values: [String: String] = [:]
        for (key, value) in request.uri.queryParameters {
            let name = String(key)
            if name.isEmpty, value.isEmpty { continue }
            guard names.contains(name) else {
                let near = Spelling.nearest(to: name, of: names).map { ", did you mean '\($0)'?" } ?? ""
                throw Problem(.badRequest, "there is no parameter '\(name)'\(near)", field: name)
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw Problem(.badRequest, "the parameter '\(name)' is there twice", field: name)
            }
        }
        self.values = values
    }

    package func text(_ name: String) -> String? { values[name] }

    /// - Throws: `Problem`, 400, that names the range.
    package func number<Number: LosslessStringConvertible & Comparable>(
        _ name: String, in range: ClosedRange<Number>
    ) throws -> Number? {
        guard let text = values[name] else { return nil }
        guard let number = Number(text), range.contains(number) else {
            throw wrong(name, text, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `true` or `false`.
    package func flag(_ name: String) throws -> Bool? {
        guard let text = values[name] else { return nil }
        guard let flag = Bool(text) else { throw wrong(name, text, "true or false") }
        return flag
    }

    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws -> Choice? where Choice.RawValue == String {
        guard let text = values[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw wrong(name, text, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    private func wrong(_ name: String, _ text: String, _ what: String) -> Problem {
        Problem(.badRequest, "'\(text.prefix(64))' is no value for \(name): it takes \(what)", field: name)
    }
}
