"""A run as a job of Slurm.

`script` renders batch scripts (pure), `commands` talks to Slurm, `job_file` remembers which job a
run is. In the job, `head` runs on the batch node: brokers, coordinator and trainer beside it, and
`processes` (pure) says which groups of workers `srun` starts on all nodes.
"""
