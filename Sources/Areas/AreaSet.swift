/// The zones and lines of one stream or video.
package struct AreaSet: Sendable, Hashable {
    package var zones: [Zone]
    package var lines: [Line]
    /// Points are fractions of the frame's sides, 0…1, not pixels.
    package var normalized: Bool

    package init(zones: [Zone] = [], lines: [Line] = [], normalized: Bool = false) {
        self.zones = zones
        self.lines = lines
        self.normalized = normalized
    }

    package var isEmpty: Bool { zones.isEmpty && lines.isEmpty }

    /// - Throws: `AreaError` that names the first field that is wrong, and the limit.
    package func validate(_ limits: AreaLimits = AreaLimits()) throws(AreaError) {
        let count = zones.count + lines.count
        guard count <= limits.areas else {
            throw AreaError(
                "", "\(count) zones and lines exceed the limit of \(limits.areas)", limitName: "areas",
                limit: Double(limits.areas))
        }
        var names = Set<String>()
        for (index, zone) in zones.enumerated() {
            let field = "zones[\(index)]"
            try checkName(zone.name, field, &names, limits)
            try checkLabels(zone.labels, field, limits)
            guard zone.points.count <= limits.points else {
                throw AreaError(
                    "\(field).points", "\(zone.points.count) points exceed the limit of \(limits.points)",
                    limitName: "points", limit: Double(limits.points))
            }
            for (number, point) in zone.points.enumerated() {
                try checkPoint(point, "\(field).points[\(number)]", limits)
            }
            guard zone.points.count >= 3, !Polygon(points: zone.points).isFlat else {
                throw AreaError("\(field).points", "a zone needs three points that are not on one line")
            }
            if let dwell = zone.dwellSeconds, !(dwell > 0 && dwell <= limits.dwell) {
                throw AreaError(
                    "\(field).dwell_seconds", "is to be more than 0 and at most \(Int(limits.dwell))",
                    limitName: "dwell", limit: limits.dwell)
            }
        }
        for (index, line) in lines.enumerated() {
            let field = "lines[\(index)]"
            try checkName(line.name, field, &names, limits)
            try checkLabels(line.labels, field, limits)
            try checkPoint(line.from, "\(field).from", limits)
            try checkPoint(line.to, "\(field).to", limits)
            guard line.from != line.to else { throw AreaError("\(field).to", "a line needs two points that differ") }
        }
    }

    /// - Throws: `AreaError` that names the first point which is outside of a frame of this size.
    package func validate(width: Int, height: Int) throws(AreaError) {
        guard !normalized else { return }
        func check(_ point: Point, _ field: String) throws(AreaError) {
            guard (0...Double(width)).contains(point.x), (0...Double(height)).contains(point.y) else {
                throw AreaError(field, "is outside of the picture, which has \(width)×\(height) pixels")
            }
        }
        for (index, zone) in zones.enumerated() {
            for (number, point) in zone.points.enumerated() { try check(point, "zones[\(index)].points[\(number)]") }
        }
        for (index, line) in lines.enumerated() {
            try check(line.from, "lines[\(index)].from")
            try check(line.to, "lines[\(index)].to")
        }
    }

    private func checkName(
        _ name: String, _ field: String, _ names: inout Set<String>, _ limits: AreaLimits
    ) throws(AreaError) {
        guard !name.isEmpty else { throw AreaError("\(field).name", "is empty") }
        // Of scalars: what looks like one character can be made of thousands.
        guard name.unicodeScalars.count <= limits.name else {
            throw AreaError(
                "\(field).name", "is longer than the limit of \(limits.name) characters", limitName: "name",
                limit: Double(limits.name))
        }
        guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw AreaError("\(field).name", "has a control character")
        }
        guard names.insert(name).inserted else { throw AreaError("\(field).name", "is the name of another area too") }
    }

    private func checkLabels(_ labels: [String], _ field: String, _ limits: AreaLimits) throws(AreaError) {
        guard labels.count <= limits.labels else {
            throw AreaError(
                "\(field).labels", "\(labels.count) labels exceed the limit of \(limits.labels)", limitName: "labels",
                limit: Double(limits.labels))
        }
        for (number, label) in labels.enumerated() where label.unicodeScalars.count > limits.label {
            throw AreaError(
                "\(field).labels[\(number)]", "is longer than the limit of \(limits.label) characters",
                limitName: "label", limit: Double(limits.label))
        }
    }

    private func checkPoint(_ point: Point, _ field: String, _ limits: AreaLimits) throws(AreaError) {
        if normalized {
            guard (0...1).contains(point.x), (0...1).contains(point.y) else {
                throw AreaError(field, "is outside of the picture: normalized points go from 0 to 1")
            }
            return
        }
        guard abs(point.x) <= limits.coordinate, abs(point.y) <= limits.coordinate else {
            throw AreaError(
                field, "is further out than \(Int(limits.coordinate)) pixels", limitName: "coordinate",
                limit: limits.coordinate)
        }
    }
}
