package import Messages

/// Boxes as the MOT Challenge has them: `frame,id,left,top,width,height,confidence,-1,-1,-1`, frames and pixels counted
/// from 1: a box at the picture's left edge has 1 there.
///
/// Track ids are of their epoch alone; here those of later ones are moved up, so that no id ever means two objects. A
/// box without a track has id -1.
package struct MOTRows: Sendable {
    private var epoch: UInt32 = 0
    /// Added to the ids of this epoch.
    private var offset: UInt64 = 0
    private var highest: UInt64 = 0

    package init() {}

    /// - Parameter response: the next one, in order.
    package mutating func rows(of response: AnalyzeResponse) -> String {
        if response.epoch != epoch {
            epoch = response.epoch
            offset = highest
        }
        var text = ""
        for detection in response.detections {
            var id = "-1"
            if let track = detection.trackID {
                let (moved, isTooBig) = track.addingReportingOverflow(offset)
                highest = max(highest, isTooBig ? track : moved)
                id = String(isTooBig ? track : moved)
            }
            let box = [detection.box.x + 1, detection.box.y + 1, detection.box.width, detection.box.height].map {
                JSONText.number(Double($0), decimals: 2)
            }
            let confidence = JSONText.number(Double(detection.confidence), decimals: 4)
            text += "\(response.sequence &+ 1),\(id),\(box.joined(separator: ",")),\(confidence),-1,-1,-1\n"
        }
        return text
    }
}
