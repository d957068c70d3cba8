// What Tests/HotPieces needs of C: the function whose instructions are counted, and parts of the image core that its
// own header does not show. What is created here lives as long as the process.
#ifndef FRAMEMESH_CHOTPIECES_H
#define FRAMEMESH_CHOTPIECES_H

#include <stddef.h>
#include <stdint.h>

#include "CVision.h"

#ifdef __cplusplus
extern "C" {
#endif

// Calls `turn` `turns` times. callgrind counts what happens in here (`--toggle-collect`), and nothing else.
void hot_pieces_measured(size_t turns, void (*turn)(void *context), void *context);

// A grey picture's way into a network's input of `side` x `side`, three planes.
typedef struct hot_preprocess hot_preprocess;
hot_preprocess *hot_preprocess_create(vision_format format, int32_t width, int32_t height, int32_t side,
                                      vision_resize resize);
// The value in the middle of the input.
int64_t hot_preprocess_run(hot_preprocess *preprocess);

// `count` objects, each of which a detector has found nine times.
typedef struct hot_findings hot_findings;
hot_findings *hot_findings_create(size_t count);
// Suppresses all but one of each; how many are left.
int64_t hot_findings_suppress(hot_findings *findings);

// The output of one of our detectors: `side` x `side` cells, ten classes, every hundredth cell with an object.
typedef struct hot_grid hot_grid;
hot_grid *hot_grid_create(int32_t side);
// How many boxes are in it.
int64_t hot_grid_decode(hot_grid *grid);

#ifdef __cplusplus
}
#endif
#endif
