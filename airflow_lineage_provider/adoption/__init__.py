"""From what a project and its runs show to a first map, and from findings to an updated one."""
