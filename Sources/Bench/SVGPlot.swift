/// Lines in a frame with axes, as SVG that stands in a page: its colours are the page's classes.
struct SVGPlot {
    struct Line {
        var name: String
        /// Numbers along x, and what was there.
        var points: [(x: Double, y: Double)]
        /// Along x, what happened there.
        var marks: [(x: Double, text: String)] = []
    }

    var title: String
    var xName: String
    var yName: String
    var lines: [Line]
    /// What to write along x; nil: the numbers that are there.
    var ticks: [(x: Double, text: String)]?
    /// How far along x a number is.
    var scale: (Double) -> Double = { $0 }

    private static let width = 640.0
    private static let height = 300.0
    private static let left = 64.0
    private static let right = 16.0
    private static let top = 36.0
    private static let bottom = 52.0
    /// Of lines; more begin again.
    static let colours = 6
    private static let yTicks = 5
    /// From the middle of one number along x to that of the next.
    private static let leastXStep = 46.0
    private static let digitWidth = 7.0
    private static let mostTicks = 10.0

    var svg: String {
        let points = lines.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        let along = points.map(\.x) + lines.flatMap { $0.marks.map(\.x) } + (ticks ?? []).map(\.x)
        guard let xs = Self.range(along.map { scale($0) }), let highest = points.map(\.y).max() else { return "" }
        let top = Self.rounded(highest)
        func x(_ value: Double) -> Double {
            let (far, length) = (scale(value) - xs.lowerBound, xs.upperBound - xs.lowerBound)
            let share = length > 0 ? far / length : 0.5
            return Self.left + share * (Self.width - Self.left - Self.right)
        }
        func y(_ value: Double) -> Double {
            Self.height - Self.bottom - value / top * (Self.height - Self.top - Self.bottom)
        }
        var parts = [
            "<div class=\"scroll\">",
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(title))\">",
            text(title, Self.left, 18, "title"),
        ]
        // So many that two of them are never the same.
        let decimals = max(1, Figure.decimals(of: top))
        for tick in 0...Self.yTicks {
            let value = top * Double(tick) / Double(Self.yTicks)
            let at = Self.place(y(value))
            parts.append(
                "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(at)\" y2=\"\(at)\"/>"
            )
            parts.append(text(Figure.text(value, decimals: decimals), Self.left - 6, y(value) + 4, "end"))
        }
        for tick in ticks ?? numbers(points.map(\.x), x) {
            parts.append(text(tick.text, x(tick.x), Self.height - Self.bottom + 18, "middle"))
        }
        parts.append(text(xName, (Self.left + Self.width) / 2, Self.height - 8, "middle"))
        parts.append(text(yName, Self.width - Self.right, 18, "end"))
        for (index, line) in lines.enumerated() {
            let class_ = "c\(index % Self.colours)"
            let places = line.points.filter { $0.x.isFinite && $0.y.isFinite }.map {
                (Self.place(x($0.x)), Self.place(y($0.y)), $0)
            }
            for mark in line.marks {
                let at = Self.place(x(mark.x))
                parts.append(
                    "<line class=\"mark \(class_)\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(Self.top)\" y2=\"\(Self.height - Self.bottom)\"><title>\(HTMLText.escaped(mark.text))</title></line>"
                )
            }
            let path = places.map { "\($0.0),\($0.1)" }.joined(separator: " ")
            parts.append("<polyline class=\"line \(class_)\" points=\"\(path)\"/>")
            for place in places {
                let what = "\(line.name): \(Figure.number(place.2.y)) at \(Figure.number(place.2.x))"
                parts.append(
                    "<circle class=\"dot \(class_)\" cx=\"\(place.0)\" cy=\"\(place.1)\" r=\"3\"><title>\(HTMLText.escaped(what))</title></circle>"
                )
            }
        }
        parts.append("</svg></div>")
        return parts.joined(separator: "\n") + legend
    }

    private var legend: String {
        guard lines.count > 1 else { return "" }
        let names = lines.enumerated().map { index, line in
            "<span class=\"key c\(index % Self.colours)\">\(HTMLText.escaped(line.name))</span>"
        }
        return "\n<p class=\"legend\">\(names.joined(separator: " "))</p>"
    }

    /// Those that have room beside each other: windows of several points end at almost the same times.
    private func numbers(_ xs: [Double], _ place: (Double) -> Double) -> [(x: Double, text: String)] {
        var shown: [(x: Double, text: String)] = []
        let values = Set(xs).sorted()
        let spread = (values.last ?? 0) - (values.first ?? 0)
        // So many that two of them are never the same, and that little is not 0.
        let least = spread > 0 ? max(2, Figure.decimals(of: spread)) : 2
        for value in values {
            let text = Figure.text(value, decimals: value > 0 ? max(least, Figure.decimals(of: value)) : least)
            let step = max(Self.leastXStep, Self.digitWidth * Double(text.count + 1))
            if let last = shown.last, place(value) - place(last.x) < step { continue }
            shown.append((value, text))
        }
        return shown
    }

    private func text(_ text: String, _ x: Double, _ y: Double, _ class_: String) -> String {
        "<text class=\"\(class_)\" x=\"\(Self.place(x))\" y=\"\(Self.place(y))\">\(HTMLText.escaped(text))</text>"
    }

    private static func place(_ value: Double) -> String { Figure.text(value, decimals: 1) }

    private static func range(_ values: [Double]) -> ClosedRange<Double>? {
        guard let least = values.min(), let most = values.max() else { return nil }
        return least...most
    }

    /// Round numbers from 0 on, as many as have room beside each other.
    static func ticks(upTo end: Double) -> [(x: Double, text: String)] {
        let step = rounded(end / mostTicks, to: [1, 2, 5])
        let decimals = Figure.decimals(of: step)
        return stride(from: 0, through: end, by: step).map { (x: $0, text: Figure.text($0, decimals: decimals)) }
    }

    /// The next that is not below, of these times a power of ten.
    static func rounded(_ value: Double, to factors: [Double] = [1, 1.5, 2, 3, 4, 5, 6, 8]) -> Double {
        guard value.isFinite, value > 0 else { return 1 }
        var unit = 1.0
        while unit * 10 <= value { unit *= 10 }
        while unit > value { unit /= 10 }
        for factor in factors where unit * factor >= value { return unit * factor }
        return unit * 10
    }
}
