/**
 * @file A thread that computes consensus strings; a tile is a group.
 */

import { serve } from "../../kernel/serve.ts";
import { runTile, type ConsensusJob } from "./job.ts";

serve(
  (job: ConsensusJob) => job.lengths.length,
  (job) => ({
    run(tile) {
      runTile(job, tile);
      return 1;
    },
  }),
);
