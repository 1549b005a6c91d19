"""Write what a job produces: files, reports, database tables, versions of models and MLflow runs."""
